"""The demo tells what became of every event, and notices what does not add up."""

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from rich.console import Console

from ingestor.devkit.demo.service import Totals
from ingestor.devkit.demo.show import AGREED, NEXT, WHY, show_plan, show_story
from ingestor.devkit.demo.story import Story, tell
from ingestor.devkit.demo.topics import Origin, Published
from ingestor.devkit.fake_tuner import Summary
from ingestor.devkit.sample_calls import Label, Outcome, SampleEvent, sample_calls

SAMPLES = {sample.label: sample for sample in reversed(list(sample_calls(400, seed=2)))}
GOOD, DUPLICATE = SAMPLES[Label.GOOD], SAMPLES[Label.DUPLICATE]


def of_all_labels() -> list[SampleEvent]:
    """Take an event of each label; the duplicate repeats the good one."""
    repeated = replace(DUPLICATE, value=GOOD.value, call_id=GOOD.call_id)
    return [*(SAMPLES | {Label.DUPLICATE: repeated}).values()]


@dataclass
class Run:
    """What both sides say after a run in which all went well; a test changes one thing."""

    events: list[SampleEvent] = field(default_factory=of_all_labels)
    letters: dict[Origin, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    attempts: int = 0
    calls: int = 0
    requests: int = 0

    def __post_init__(self) -> None:
        for origin, event in self.published():
            self.records[event.outcome, event.reason or ""] += 1
            if event.outcome is Outcome.DEAD:
                self.letters[origin] = event.reason or ""
            if event.outcome is Outcome.DELIVERED:
                self.stored.add(event.call_id or "")
        self.calls = len(self.stored)
        self.attempts = self.requests = self.calls + 7

    def published(self) -> list[tuple[Origin, SampleEvent]]:
        """Place the events, one after the other in partition 3."""
        return [((3, offset), event) for offset, event in enumerate(self.events)]

    def place(self, label: Label) -> Origin:
        """Find the event of a label."""
        return next(origin for origin, event in self.published() if event.label is label)

    def told(self) -> Story:
        """Tell what became of it."""
        summary = Summary(
            requests=self.requests,
            open=0,
            peak=1,
            statuses={},
            faults={},
            calls=self.calls,
            call_ids=len(self.stored),
            duplicates_stored=0,
            duplicates_answered=0,
            arrivals={},
        )
        published = [Published(event, origin) for origin, event in self.published()]
        totals = Totals(self.records, self.attempts)
        return tell(published, self.letters, summary, self.stored, totals)


def test_a_good_run_has_a_row_for_each_label_and_no_contradiction() -> None:
    """Every event ended as its sample says, and both sides count the same."""
    story = Run().told()

    assert story.contradictions == []
    assert [row.label for row in story.rows] == list(Label)
    assert {row.label: dict(row.fates) for row in story.rows} == {
        Label.GOOD: {"at Tuner": 1},
        Label.STRUCTURED: {"at Tuner": 1},
        Label.BINARY: {"at Tuner": 1},
        Label.FRAMED: {"at Tuner": 1},
        Label.SLOW: {"at Tuner": 1},
        Label.FLAKY: {"at Tuner": 1},
        Label.DUPLICATE: {"at Tuner already": 1},
        Label.TOMBSTONE: {"ignored": 1},
        Label.OTHER_TYPE: {"ignored": 1},
        Label.MALFORMED: {"dead letter: malformed": 1},
        Label.INVALID: {"dead letter: invalid": 1},
        Label.NO_ROUTE: {"dead letter: no_route": 1},
        Label.REFUSED: {"dead letter: refused": 1},
    }


def test_labels_that_did_not_come_have_no_row() -> None:
    """A short run shows what there was."""
    story = Run(events=[GOOD, GOOD]).told()

    assert [(row.label, row.count) for row in story.rows] == [(Label.GOOD, 2)]


def lose(run: Run) -> None:
    run.stored.remove(SAMPLES[Label.BINARY].call_id or "")
    run.calls -= 1


def bury_a_good_one(run: Run) -> None:
    run.letters[run.place(Label.FRAMED)] = "internal"
    run.records["dead", "internal"] += 1


def lose_a_letter(run: Run) -> None:
    del run.letters[run.place(Label.MALFORMED)]


def mistake_the_reason(run: Run) -> None:
    run.letters[run.place(Label.REFUSED)] = "exhausted"


def bury_an_ignored_one(run: Run) -> None:
    run.letters[run.place(Label.TOMBSTONE)] = "malformed"


def post_a_dead_one(run: Run) -> None:
    run.stored.add(SAMPLES[Label.INVALID].call_id or "")
    run.calls += 1


def bury_a_stranger(run: Run) -> None:
    run.letters[(5, 8)] = "malformed"
    run.records["dead", "malformed"] += 1


def store_twice(run: Run) -> None:
    run.calls += 1


def finish_too_few(run: Run) -> None:
    run.records["delivered", ""] -= 1


def ignore_too_many(run: Run) -> None:
    run.records["ignored", "event_type"] += 1
    run.records["delivered", ""] -= 1


def count_a_request_that_nobody_saw(run: Run) -> None:
    run.attempts += 1


def see_a_request_that_nobody_counted(run: Run) -> None:
    run.requests += 1


CONTRADICTIONS: list[tuple[Callable[[Run], None], list[str]]] = [
    (
        lose,
        [
            "event 3/{binary} (cloudevent binary): should be at Tuner, is lost",
            "delivered and duplicate: 7, but events at Tuner: 6",
        ],
    ),
    (
        bury_a_good_one,
        [
            "event 3/{framed} (framed): should be at Tuner, is dead letter: internal",
            "finished records: 14, but published events: 13",
            "delivered and duplicate: 7, but events at Tuner: 6",
        ],
    ),
    (
        lose_a_letter,
        [
            "event 3/{malformed} (malformed): should be dead letter: malformed, is lost",
            "dead: 4, but letters on the topic: 3",
        ],
    ),
    (
        mistake_the_reason,
        [
            "event 3/{refused} (refused by Tuner): should be dead letter: refused, is {fate}",
        ],
    ),
    (
        bury_an_ignored_one,
        [
            "event 3/{tombstone} (tombstone): should be ignored, is dead letter: malformed",
            "dead: 4, but letters on the topic: 5",
            "ignored: 2, but events to ignore: 1",
        ],
    ),
    (post_a_dead_one, ["call {invalid_call}: should not be at Tuner, but is"]),
    (
        bury_a_stranger,
        [
            "event 5/8: nobody published it, but it is a dead letter",
            "finished records: 14, but published events: 13",
        ],
    ),
    (store_twice, ["stored calls: 7, but distinct calls: 6"]),
    (
        finish_too_few,
        [
            "finished records: 12, but published events: 13",
            "delivered and duplicate: 6, but events at Tuner: 7",
        ],
    ),
    (
        ignore_too_many,
        [
            "delivered and duplicate: 6, but events at Tuner: 7",
            "ignored: 3, but events to ignore: 2",
        ],
    ),
    (count_a_request_that_nobody_saw, ["requests: 14, but requests that reached Tuner: 13"]),
    (see_a_request_that_nobody_counted, ["requests: 13, but requests that reached Tuner: 14"]),
]


@pytest.mark.parametrize(
    ("plant", "found"), CONTRADICTIONS, ids=[plant.__name__ for plant, _ in CONTRADICTIONS]
)
def test_a_contradiction_is_found(plant: Callable[[Run], None], found: list[str]) -> None:
    """Each thing that one side says and the other does not, by itself."""
    run = Run()
    offsets = {event.label.name.lower(): origin[1] for origin, event in run.published()}

    plant(run)

    words = {"invalid_call": SAMPLES[Label.INVALID].call_id, "fate": "dead letter: exhausted"}
    expected = [line.format(**offsets, **words) for line in found]
    assert run.told().contradictions == expected


# What is printed


def printed(story: Story, totals: Totals) -> str:
    """Print a story as to a file."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    show_story(console, story, totals)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_label_has_a_reason_to_show() -> None:
    """None is left without an explanation when one is added."""
    assert WHY.keys() == set(Label)


def test_a_story_that_adds_up_says_so_and_what_to_do_next() -> None:
    """The table has a line for each label, the sum of the service's own counts below it."""
    run = Run()
    text = printed(run.told(), Totals(run.records, run.attempts))

    rows = [line.split() for line in text.splitlines()]
    assert ["good", "1", "at", "Tuner", "posted", "byte", "for", "byte"] in rows
    assert "The service says: 6 delivered, 1 duplicate, 4 dead, 2 ignored; 13 requests." in text
    assert AGREED in text
    assert all(line in text for line in NEXT.splitlines()[1:])


def test_a_story_that_does_not_shows_every_contradiction() -> None:
    """And promises nothing; events of one label that ended differently are told apart."""
    run = Run(events=[GOOD, replace(GOOD, call_id="another"), SAMPLES[Label.FLAKY]])
    run.stored.remove("another")

    text = printed(run.told(), Totals(run.records, run.attempts))

    assert "1 at Tuner, 1 lost" in text
    assert "event 3/1 (good): should be at Tuner, is lost" in text
    assert AGREED not in text
    assert "What to do next" not in text


def test_the_plan_names_the_addresses() -> None:
    """Whoever is curious can look at both while it runs."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)

    show_plan(console, "127.0.0.1:9", "http://127.0.0.1:8", 300)

    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "embedded Kafka at 127.0.0.1:9, fake Tuner at http://127.0.0.1:8" in text
    assert "300 events" in text
