"""Finds out what became of every event, from the dead letters, the fake Tuner's log and the
service's own counts, and whether they agree.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingestor.devkit.demo.service import Totals
from ingestor.devkit.demo.topics import Origin, Published
from ingestor.devkit.fake_tuner import Summary
from ingestor.devkit.sample_calls import Label, Outcome

AT_TUNER = "at Tuner"
KNOWN = "at Tuner already"
IGNORED = "ignored"
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Row:
    """Events of one label: how many, and what became of them."""

    label: Label
    count: int
    fates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Story:
    """All rows, and every contradiction that was found; without any the demo is good."""

    rows: Sequence[Row]
    contradictions: Sequence[str]


def tell(
    published: Sequence[Published],
    letters: Mapping[Origin, str],
    tuner: Summary,
    stored: Collection[str],
    totals: Totals,
) -> Story:
    """Tell what became of *published*; *stored* are the call_ids of the calls at Tuner."""
    fates = [(item, _fate(item, letters, stored)) for item in published]
    rows = [_row(label, fates) for label in Label]
    return Story(
        [row for row in rows if row.count],
        [
            *_surprises(fates),
            *_strangers(published, letters, stored),
            *_disagreements(fates, letters, tuner, totals),
        ],
    )


def _fate(item: Published, letters: Mapping[Origin, str], stored: Collection[str]) -> str:
    event = item.event
    if item.origin in letters:
        return f"dead letter: {letters[item.origin]}"
    if event.outcome is Outcome.IGNORED:
        return IGNORED
    if event.call_id not in stored:
        return LOST
    return KNOWN if event.outcome is Outcome.DUPLICATE else AT_TUNER


def _row(label: Label, fates: Sequence[tuple[Published, str]]) -> Row:
    ours = Counter(fate for item, fate in fates if item.event.label is label)
    return Row(label, ours.total(), ours)


def _surprises(fates: Sequence[tuple[Published, str]]) -> Iterator[str]:
    """Compare with what each sample should come to."""
    expected = {
        Outcome.DELIVERED: AT_TUNER,
        Outcome.DUPLICATE: KNOWN,
        Outcome.IGNORED: IGNORED,
    }
    for item, fate in fates:
        event = item.event
        should = expected.get(event.outcome, f"dead letter: {event.reason}")
        if fate != should:
            partition, offset = item.origin
            yield f"event {partition}/{offset} ({event.label}): should be {should}, is {fate}"


def _strangers(
    published: Sequence[Published], letters: Mapping[Origin, str], stored: Collection[str]
) -> Iterator[str]:
    """Find calls that Tuner has and should not have: dead, ignored, or nobody's; and letters of
    events that are nobody's.
    """
    wanted = {item.event.call_id for item in published if item.event.outcome is Outcome.DELIVERED}
    for call_id in sorted(set(stored) - wanted):
        yield f"call {call_id}: should not be at Tuner, but is"
    for partition, offset in sorted(letters.keys() - {item.origin for item in published}):
        yield f"event {partition}/{offset}: nobody published it, but it is a dead letter"


def _disagreements(
    fates: Sequence[tuple[Published, str]],
    letters: Mapping[Origin, str],
    tuner: Summary,
    totals: Totals,
) -> Iterator[str]:
    """Hold the service's counts against the broker's and Tuner's."""
    seen = Counter(fate for _, fate in fates)
    accepted = totals.count("delivered") + totals.count("duplicate")
    pairs = (
        ("finished records", totals.finished, "published events", len(fates)),
        ("delivered and duplicate", accepted, "events at Tuner", seen[AT_TUNER] + seen[KNOWN]),
        ("dead", totals.count("dead"), "letters on the topic", len(letters)),
        ("ignored", totals.count("ignored"), "events to ignore", seen[IGNORED]),
        ("requests", totals.attempts, "requests that reached Tuner", tuner.requests),
        ("stored calls", tuner.calls, "distinct calls", tuner.call_ids),
    )
    for left, left_count, right, right_count in pairs:
        if left_count != right_count:
            yield f"{left}: {left_count}, but {right}: {right_count}"
