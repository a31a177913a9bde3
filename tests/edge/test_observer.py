"""What happens is told once, counted always, and never with a word of what a call holds."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog
from builders import NOW, answered, body, circumstances, dead, record, row
from edge.exposition import value
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import FilteringBoundLogger

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.core.backlog import Backlog
from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.judgement import judge
from ingestor.core.notice import Kind, Matter, Notice
from ingestor.core.outcome import Dead, Delivered, Duplicate, Ignored, Outcome, Reason, Tries
from ingestor.core.record import Partition
from ingestor.core.verdict import Refused
from ingestor.edge.health import Health, describe, fields
from ingestor.edge.metrics import Metrics
from ingestor.edge.observer import MOST_REMINDERS, MOST_TYPES, ServiceObserver

TRIES = Tries(1, 0.0, 0.0)
FAULT = Notice(Matter(Kind.FAULT, "credential default"), "unauthorized", "put a key there", 7, NOW)
OUTAGE = Notice(Matter(Kind.OUTAGE, "server https://tuner.test"), "timeout", "wait", 0, NOW)
LETTERS = Notice(Matter(Kind.LETTERS, "every route"), "refused (404)", "look at it", 7, NOW)


def told(stream: io.StringIO) -> FilteringBoundLogger:
    """Build a log that writes JSON lines to *stream*, whatever their level."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return logger


@dataclass
class Watched:
    """An observer, and all that it has to show."""

    stream: io.StringIO = field(default_factory=io.StringIO)
    metrics: Metrics = field(default_factory=lambda: Metrics("1"))
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self.observer = ServiceObserver(told(self.stream), self.metrics, self.health)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines it told."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def count(self, outcome: str, reason: str = "") -> float | None:
        """How many records ended so."""
        return value(self.metrics, "records_total", outcome=outcome, reason=reason)


@pytest.fixture
def watched() -> Watched:
    """An observer of a service that has seen nothing yet."""
    return Watched()


def test_a_delivered_call_is_counted_and_not_told(watched: Watched) -> None:
    """There are thousands of them in a second; its age is from its publication to now."""
    published = int((time.time() - 7) * 1000)
    for _ in range(3):
        watched.observer.ended(record(timestamp=published), Delivered(TRIES))

    assert watched.lines == []
    assert watched.count("delivered") == 3
    assert value(watched.metrics, "event_age_seconds_count") == 3
    assert value(watched.metrics, "event_age_seconds_sum") == pytest.approx(21, abs=3)


def test_a_record_from_the_future_has_no_negative_age(watched: Watched) -> None:
    """The clocks of publishers differ from ours."""
    watched.observer.ended(record(timestamp=int(time.time() * 1000) + 10**6), Delivered(TRIES))

    assert value(watched.metrics, "event_age_seconds_sum") == 0


def test_a_duplicate_is_counted_and_not_told(watched: Watched) -> None:
    """After a restart there may be many."""
    watched.observer.ended(record(), Duplicate(TRIES))

    assert watched.lines == []
    assert watched.count("duplicate") == 1


def test_a_letter_is_told_with_all_that_finds_it(watched: Watched) -> None:
    """One line for each: where it came from, which call it is, and why."""
    letter = dead(Reason.INVALID, "call_type: is missing", status=None, call_id="orders-1")

    watched.observer.ended(record(topic="calls", partition=3, offset=77), letter)

    assert watched.lines == [
        {
            "event": "letter",
            "level": "warning",
            "reason": "invalid",
            "message": "call_type: is missing",
            "status": None,
            "attempts": 1,
            "call_id": "orders-1",
            "topic": "calls",
            "partition": 3,
            "offset": 77,
        }
    ]
    assert watched.count("dead", "invalid") == 1


def test_the_first_ignored_record_of_each_type_is_told(watched: Watched) -> None:
    """The rest are only counted: a topic may hold mostly other events."""
    for kind in ("a.started", "a.started", "b.rang", None, None):
        watched.observer.ended(record(), Ignored("event_type", kind))

    assert [line["type"] for line in watched.lines] == ["a.started", "b.rang", None]
    assert {line["event"] for line in watched.lines} == {"ignored"}
    assert watched.count("ignored", "event_type") == 5


def test_types_without_end_do_not_fill_memory_or_log(watched: Watched) -> None:
    """Events may call themselves what they like, as long as they like."""
    for number in range(MOST_TYPES + 50):
        watched.observer.ended(record(), Ignored("event_type", f"{number}." + "x" * 10**4))

    assert len(watched.lines) == MOST_TYPES
    assert max(len(line["type"]) for line in watched.lines) == 100


def test_an_attempt_is_counted_by_its_status(watched: Watched) -> None:
    """A status, or the fault when there was none, and how long it took."""
    created, timeout = Answered(201), Unanswered(Fault.TIMEOUT)
    for answer, seconds in ((created, 0.2), (created, 0.4), (timeout, 15.0)):
        watched.observer.attempted(answer, seconds)

    assert watched.lines == []
    assert value(watched.metrics, "attempts_total", status="201") == 2
    assert value(watched.metrics, "attempts_total", status="timeout") == 1
    assert value(watched.metrics, "request_seconds_sum") == pytest.approx(15.6)


def test_a_repeat_is_counted_with_the_attempt_before_it(watched: Watched) -> None:
    """Whoever compares our figures with Tuner's finds them equal."""
    watched.observer.attempted(Answered(409, is_repeat=True), 0.2)

    assert value(watched.metrics, "attempts_total", status="409") == 1
    assert value(watched.metrics, "attempts_total", status="disconnected") == 1
    assert value(watched.metrics, "request_seconds_count") == 2


@pytest.mark.parametrize(
    ("notice", "begun", "level", "over"),
    [
        (FAULT, "held", "error", "lifted"),
        (OUTAGE, "outage", "warning", "outage_over"),
        (LETTERS, "letters_held", "error", "letters_released"),
    ],
    ids=["fault", "outage", "letters"],
)
def test_what_is_held_is_told_and_shown_until_it_is_over(
    watched: Watched, notice: Notice, begun: str, level: str, over: str
) -> None:
    """In the log, in readiness and among the metrics; an outage leaves it ready: nobody has to mend
    anything of ours.
    """
    watched.health.has_joined = True
    state = notice.matter.kind.value
    labels = {"destination": notice.matter.what, "state": state}

    watched.observer.held(notice)

    assert watched.lines == [{"event": begun, "level": level, **fields(notice)}]
    assert watched.health.obstacles == ([] if notice is OUTAGE else [describe(notice)])
    assert value(watched.metrics, "destination_state", **labels) == 1

    watched.observer.lifted(notice.matter)

    assert watched.lines[1:] == [
        {"event": over, "level": "info", "state": state, "what": notice.matter.what}
    ]
    assert watched.health.obstacles == []
    assert value(watched.metrics, "destination_state", **labels) is None


def test_a_reminder_is_one_line_about_all_that_is_held(watched: Watched) -> None:
    """Our own faults first, since somebody has to mend them; readiness shows their newest cause."""
    watched.health.has_joined = True
    newer = replace(LETTERS, cause="exhausted")
    for notice in (OUTAGE, FAULT, LETTERS):
        watched.observer.held(notice)

    watched.observer.still_held([OUTAGE, FAULT, newer])

    holds = [dict(fields(notice)) for notice in (FAULT, newer, OUTAGE)]
    assert watched.lines[3:] == [
        {"event": "still_held", "level": "error", "holds": holds, "more": 0}
    ]
    assert watched.health.obstacles == [describe(FAULT), describe(newer)]


def test_an_outage_alone_is_no_error(watched: Watched) -> None:
    """There is nothing to do."""
    watched.observer.still_held([OUTAGE])

    assert [line["level"] for line in watched.lines] == ["warning"]


def test_a_reminder_is_bounded(watched: Watched) -> None:
    """An event may name any workspace, and each may be forbidden."""
    names = [Matter(Kind.FAULT, f"workspace {number}") for number in range(MOST_REMINDERS + 5)]

    watched.observer.still_held([replace(FAULT, matter=name) for name in names])

    assert len(watched.lines[-1]["holds"]) == MOST_REMINDERS
    assert watched.lines[-1]["more"] == 5


def test_readiness_follows_the_changes(watched: Watched) -> None:
    """Joining the group makes ready, draining ends it."""
    watched.observer.changed("waiting_for_kafka", cause="no topic calls")
    assert watched.health.obstacles == ["starting: the group is not joined yet"]

    watched.observer.changed("partitions_assigned", partitions=["calls/0"])
    assert watched.health.obstacles == []

    watched.observer.changed("draining")
    assert watched.health.obstacles == ["draining"]


@pytest.mark.parametrize(
    ("event", "level"),
    [
        ("waiting_for_kafka", "warning"),
        ("kafka_failed", "warning"),
        ("commit_refused", "warning"),
        ("key_unreadable", "warning"),
        ("key_replaced", "info"),
        ("letters_stuck", "warning"),
        ("letters_written_again", "info"),
        ("offsets_out_of_range", "warning"),
        ("partition_forbidden", "warning"),
        ("partitions_assigned", "info"),
        ("stopped", "info"),
    ],
)
def test_a_change_is_told_once(watched: Watched, event: str, level: str) -> None:
    """Under its stable name and with its fields; a warning is for somebody to look at."""
    watched.observer.changed(event, field=1)

    assert watched.lines == [{"event": event, "level": level, "field": 1}]


def test_what_is_lost_is_told_as_a_range_and_counted(watched: Watched) -> None:
    """Somebody has to find out what it was; nobody can give it back."""
    watched.observer.lost(Partition("calls", 3), 90, 99)

    assert watched.lines == [
        {
            "event": "records_lost_to_retention",
            "level": "error",
            "partition": "calls/3",
            "first": 90,
            "last": 99,
            "count": 10,
        }
    ]
    assert value(watched.metrics, "records_lost_total", topic="calls", partition="3") == 10


def test_backlogs_are_shown_and_not_told(watched: Watched) -> None:
    """They come every few seconds."""
    watched.observer.behind({Partition("calls", 0): Backlog(9, 2.0)})

    assert watched.lines == []
    assert value(watched.metrics, "lag_records", topic="calls", partition="0") == 9


# Nothing private

PRIVATE = "+1 555 0100 \u260e"


def hide(event: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Put the private words into *event* at *path*."""
    first, *rest = path
    below = hide(event.get(first) or {}, tuple(rest)) if rest else PRIVATE
    return {**event, first: below}


FIELDS = [*(name for name in body() if name != "call_id"), "metadata", "caller_phone_number"]
places = st.one_of(
    st.sampled_from(FIELDS).map(lambda name: (name,)),
    st.sampled_from([("metadata", "note"), (PRIVATE,), ("metadata", PRIVATE)]),
)
rows = st.sampled_from([*row(), PRIVATE, "tool", "node", "words"]).map(lambda name: {name: PRIVATE})


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Draw an event that is private somewhere, and seldom good."""
    event = hide(body(), draw(places))
    if draw(st.booleans()):
        event["transcript_with_tool_calls"] = [row(**draw(rows))]
    text = json.dumps(event).encode()
    return text[: draw(st.integers(1, len(text)))] if draw(st.booleans()) else text


def outcome_of(text: bytes) -> Outcome:
    """Decode *text*; what could be posted is refused, with all of it echoed."""
    decoder = Decoder(Reading(max_bytes=2**20, event_types=EventTypes(())))
    decoded = decoder.decode(record(text))
    if not isinstance(decoded, Call):
        return decoded
    problem = {"type": "missing", "loc": ["body", PRIVATE, 0], "msg": PRIVATE, "input": PRIVATE}
    verdict = judge(answered(422, {"detail": [problem, PRIVATE]}), circumstances())
    assert isinstance(verdict, Refused)
    return Dead(Reason.REFUSED, verdict.message, verdict.errors, verdict.status, TRIES, "orders-1")


@given(events())
def test_nothing_of_a_record_is_ever_shown(text: bytes) -> None:
    """Neither its value, key or headers, nor what Tuner echoes of it; in no line and no metric."""
    watched = Watched()
    headers = (("phone", PRIVATE.encode()), (PRIVATE, b"x"))
    origin = record(text, key=PRIVATE.encode(), headers=headers)

    watched.observer.ended(origin, outcome_of(text))

    shown = watched.stream.getvalue() + watched.metrics.text().decode()
    assert watched.count("dead", "refused") or "letter" in shown
    assert PRIVATE not in shown
    assert json.dumps(PRIVATE)[1:-1] not in shown
    assert "555" not in shown
