"""Sample calls are what they say they are: lifelike, varied, harmless and the same each time."""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

import pytest
from devkit.reference import TRANSCRIPT, faults, parse

from ingestor.devkit.sample_calls import (
    EVENT_TYPE,
    FLAKY_CALLS,
    SLOW_CALLS,
    Label,
    Outcome,
    SampleEvent,
    sample_calls,
)


@pytest.fixture(scope="module")
def events() -> list[SampleEvent]:
    """Enough events for everything rare to happen."""
    return list(sample_calls(2_000, seed=1))


def content(event: SampleEvent) -> Any:
    """Take the body out of whatever is around it."""
    assert event.value is not None
    if event.label is Label.FRAMED:
        assert event.value[:1] == b"\x00"
        return parse(event.value[5:])
    parsed = parse(event.value)
    if "specversion" not in parsed:
        return parsed
    assert ("data" in parsed) != ("data_base64" in parsed)
    if "data" in parsed:
        return parsed["data"]
    return parse(base64.b64decode(parsed["data_base64"], validate=True))


def of(events: Iterable[SampleEvent], *labels: Label) -> list[SampleEvent]:
    """Pick the events with *labels*; there must be some."""
    found = [event for event in events if event.label in labels]
    assert found
    return found


def ending(events: Iterable[SampleEvent], *outcomes: Outcome) -> Iterator[SampleEvent]:
    """Pick the events with *outcomes*."""
    return (event for event in events if event.outcome in outcomes)


# What every event has


def test_a_seed_gives_the_same_events_always() -> None:
    """A failure that was seen with a seed is seen again."""
    assert list(sample_calls(300, seed=7)) == list(sample_calls(300, seed=7))
    assert list(sample_calls(300, seed=7)) != list(sample_calls(300, seed=8))
    assert list(islice(sample_calls(10_000, seed=7), 300)) == list(sample_calls(300, seed=7))
    assert list(sample_calls(0)) == []


def test_each_hundred_holds_every_label(events: list[SampleEvent]) -> None:
    """A short demo shows all there is, and most of it is good."""
    counts = [Counter(event.label for event in events[at : at + 100]) for at in (0, 100, 1_900)]

    assert all(set(count) == set(Label) for count in counts)
    assert all(count[Label.GOOD] > 50 for count in counts)


def test_a_label_has_one_end(events: list[SampleEvent]) -> None:
    """Whoever counts outcomes need not look into the events."""
    ends = {(event.label, event.outcome, event.reason) for event in events}

    assert len(ends) == len(Label)
    assert {reason for _, outcome, reason in ends if outcome is Outcome.DEAD} == {
        "malformed",
        "invalid",
        "no_route",
        "refused",
    }
    assert {reason for _, outcome, reason in ends if outcome is not Outcome.DEAD} == {None}


def test_no_call_is_made_up_twice(events: list[SampleEvent]) -> None:
    """Only a duplicate has another's call id, and the key is always the call's."""
    keys = [event.key for event in events if event.label is not Label.DUPLICATE]

    assert len(keys) == len(set(keys))
    for event in events:
        assert event.call_id in (None, event.key.decode())


def test_nobody_real_is_called(events: list[SampleEvent]) -> None:
    """Telephone numbers are the ones reserved for fiction, and addresses lead nowhere."""
    everything = b"".join(event.value or b"" for event in events)
    phones = re.findall(rb'"caller_phone_number":"([^"]*)"', everything)
    hosts = re.findall(rb"[a-z]+://([^/\"]+)", everything)

    assert len(set(phones)) > 50
    assert all(re.fullmatch(rb"\+155501\d\d", phone) for phone in phones)
    assert {host.removeprefix(b"recordings.") for host in hosts} == {b"example.com"}


def test_sizes_are_lifelike(events: list[SampleEvent]) -> None:
    """Most calls are short, some are long, none is absurd."""
    sizes = sorted(len(event.value or b"") for event in of(events, Label.GOOD))

    assert 1_000 <= sizes[0] < 2_000
    assert 3_500 < sizes[len(sizes) // 2] < 5_500
    assert 20_000 < sizes[-1] <= 30_000


# Calls that Tuner takes


def test_what_should_be_delivered_is_valid(events: list[SampleEvent]) -> None:
    """Every rule is kept, in its strictest reading."""
    for event in ending(events, Outcome.DELIVERED, Outcome.DUPLICATE):
        call = content(event)
        assert faults(call) == []
        assert call["call_id"] == event.call_id


def test_a_structured_event_is_an_envelope(events: list[SampleEvent]) -> None:
    """The content type says so, and some envelopes hold their data in base64."""
    found = of(events, Label.STRUCTURED)

    for event in found:
        assert event.value is not None
        envelope = parse(event.value)
        assert (envelope["specversion"], envelope["type"]) == ("1.0", EVENT_TYPE)
        assert dict(event.headers)["content-type"] == (
            b"application/cloudevents+json; charset=UTF-8"
        )
    assert {b'"data_base64"' in (event.value or b"") for event in found} == {True, False}


def test_a_binary_event_has_its_attributes_in_headers(events: list[SampleEvent]) -> None:
    """The value is the body itself."""
    for event in of(events, Label.BINARY):
        headers = dict(event.headers)
        assert headers["ce_specversion"] == b"1.0"
        assert headers["ce_type"] == EVENT_TYPE.encode()
        assert headers["content-type"] == b"application/json"


def test_good_events_may_have_headers_of_no_importance(events: list[SampleEvent]) -> None:
    """Tracing adds its own."""
    names = {tuple(name for name, _ in event.headers) for event in of(events, Label.GOOD)}

    assert names == {(), ("traceparent",)}


def test_slow_and_flaky_calls_are_known_by_their_ids(events: list[SampleEvent]) -> None:
    """A fake Tuner can be told by a pattern to treat them so, and no others."""
    for event in events:
        call_id = str(event.call_id)
        assert fnmatchcase(call_id, SLOW_CALLS) == (event.label is Label.SLOW)
        assert fnmatchcase(call_id, FLAKY_CALLS) == (event.label is Label.FLAKY)


def test_a_duplicate_repeats_an_earlier_good_event(events: list[SampleEvent]) -> None:
    """It is the same to the byte, as when a platform publishes twice."""
    earlier: dict[str | None, SampleEvent] = {}
    for event in events:
        if event.label is Label.DUPLICATE:
            first = earlier[event.call_id]
            assert (event.key, event.value, event.headers) == (
                first.key,
                first.value,
                first.headers,
            )
        if event.label is Label.GOOD:
            earlier[event.call_id] = event


def test_the_first_event_is_no_duplicate() -> None:
    """There is nothing yet that it could repeat."""
    firsts = [next(sample_calls(1, seed)) for seed in range(200)]

    assert Label.DUPLICATE not in {event.label for event in firsts}
    assert Label.INVALID in {event.label for event in firsts}


# Calls that Tuner does not take


def test_malformed_events_are_no_json(events: list[SampleEvent]) -> None:
    """Strictly no JSON; some only Python's own parser would take."""
    found = of(events, Label.MALFORMED)

    for event in found:
        assert event.value is not None
        with pytest.raises(ValueError):  # noqa: PT011  # of five kinds
            parse(event.value)
    values = [event.value or b"" for event in found]
    assert b"" in values
    assert sum(b"NaN" in value for value in values) > 0
    assert sum(rb"\ud83d" in value for value in values) > 0
    assert sum(value.startswith(b"\x00") for value in values) > 0


def test_invalid_events_break_one_rule_each(events: list[SampleEvent]) -> None:
    """All the usual mistakes occur."""
    broken = [faults(content(event)) for event in of(events, Label.INVALID)]

    assert {len(found) for found in broken} == {1}
    assert {found[0] for found in broken} == {
        (TRANSCRIPT, "too_short"),
        (TRANSCRIPT, "value_error"),
        (f"{TRANSCRIPT}.role", "literal_error"),
        ("call_type", "string_too_short"),
        ("caller_phone_number", "string_type"),
        ("end_timestamp", "int_type"),
    }


def test_refused_events_are_wrong_in_what_only_tuner_knows(events: list[SampleEvent]) -> None:
    """Their version is a word; every other rule is kept."""
    for event in of(events, Label.REFUSED):
        assert faults(content(event)) == [("agent_version", "int_type")]


def test_an_event_without_a_route_names_an_impossible_workspace(
    events: list[SampleEvent],
) -> None:
    """Its body is good."""
    for event in of(events, Label.NO_ROUTE):
        assert faults(content(event)) == []
        assert event.headers == (("tuner-workspace-id", b"north"),)


# Events that are no calls


def test_a_tombstone_has_a_key_alone(events: list[SampleEvent]) -> None:
    """That is what a compacted topic holds of a deleted call."""
    for event in of(events, Label.TOMBSTONE):
        assert event.value is None
        assert event.headers == ()
        assert event.call_id is None


def test_other_types_come_in_both_modes(events: list[SampleEvent]) -> None:
    """None has the type of a call that ended."""
    modes = Counter[str]()
    types = set()
    for event in of(events, Label.OTHER_TYPE):
        headers = {name: (value or b"").decode() for name, value in event.headers}
        modes["binary" if "ce_type" in headers else "structured"] += 1
        types.add(headers.get("ce_type") or parse(event.value or b"")["type"])
        assert faults(content(event)) != []

    assert set(modes) == {"binary", "structured"}
    assert len(types) == 3
    assert EVENT_TYPE not in types
