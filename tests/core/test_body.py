"""The exact types of a body."""

import json
from typing import Any

import msgspec
import pytest
from builders import ABSENT, body, row
from core.strategies import OLDER, REFERENCE, bodies, many
from core.tables import table
from core.tuner_model import is_accepted, is_poison
from hypothesis import given

from ingestor.core.body import Object, exact
from ingestor.core.parsing import parse
from ingestor.core.rules import problems


def test_the_reference_body_needs_no_second_look() -> None:
    """The form that clients are advised to send is the one that costs least to check."""
    assert exact.decode(REFERENCE).is_timed()


def test_objects_that_nobody_reads_are_not_built() -> None:
    """A transcript's metadata can be the larger part of an event."""
    metadata = exact.decode(REFERENCE).transcript_with_tool_calls[1].metadata

    assert isinstance(metadata, Object)
    assert msgspec.structs.fields(metadata) == ()


def test_nothing_of_a_body_is_tracked_by_the_garbage_collector() -> None:
    """A sixth of the time went into looking for cycles that cannot be."""
    whole = exact.decode(REFERENCE)
    rows = whole.transcript_with_tool_calls
    words, tool, node, metadata = rows[2].words, rows[3].tool, rows[0].node, rows[1].metadata
    parts = [whole, *rows, *(words or []), tool, node, metadata]

    structs = [part for part in parts if isinstance(part, msgspec.Struct)]
    assert {type(part).__name__ for part in structs} == {
        "Body",
        "Segment",
        "Word",
        "Tool",
        "Node",
        "Object",
    }
    assert not any(part.__struct_config__.gc for part in structs)


TIMED: dict[str, dict[str, Any]] = {
    "words alone": {"start_ms": ABSENT, "words": [{"word": "a", "start_ms": 1, "end_ms": 2}]},
    "a start and an end": {"end_ms": 3},
    "a start and a duration": {"duration_ms": 3},
    "times of zero": {"start_ms": 0, "end_ms": 0},
    "a function call that says nothing": {"role": "agent_function", "start_ms": ABSENT},
    "a result that says nothing": {"role": "agent_result", "start_ms": ABSENT},
    "a move that says nothing": {"role": "node_transition", "start_ms": ABSENT},
}
UNTIMED: dict[str, dict[str, Any]] = {
    "a start alone": {},
    "a start of the agent alone": {"role": "agent"},
    "a duration alone": {"start_ms": ABSENT, "duration_ms": 3},
    "an end and a duration": {"start_ms": ABSENT, "end_ms": 3, "duration_ms": 3},
    "an end alone": {"start_ms": ABSENT, "end_ms": 3},
    "no words": {"start_ms": ABSENT, "words": []},
    "a start of null": {"start_ms": None, "end_ms": 3},
    "nothing": {"start_ms": ABSENT},
}


@table("fields, is_timed", {name: (row, True) for name, row in TIMED.items()})
def test_rows_that_say_when_they_were_spoken(fields: dict[str, Any], *, is_timed: bool) -> None:
    """Words, or a start with an end or a duration; only speech has to say it."""
    _check_timing(fields, is_timed=is_timed)


@table("fields, is_timed", {name: (row, False) for name, row in UNTIMED.items()})
def test_rows_that_do_not(fields: dict[str, Any], *, is_timed: bool) -> None:
    """One of them is enough to make Tuner refuse the call."""
    _check_timing(fields, is_timed=is_timed)


def _check_timing(fields: dict[str, Any], *, is_timed: bool) -> None:
    event = body(transcript_with_tool_calls=[row(), row(end_ms=ABSENT) | fields])
    text = json.dumps(
        {
            **event,
            "transcript_with_tool_calls": [
                {name: value for name, value in each.items() if value is not ABSENT}
                for each in event["transcript_with_tool_calls"]
            ],
        }
    ).encode()

    assert exact.decode(text).is_timed() is is_timed
    assert is_accepted(text) is is_timed


@table(
    "changes",
    {
        "the longest call_id": {"call_id": "\U0001f600" * 200},
        "the longest of all": {
            "call_type": "x" * 100,
            "recording_url": "x" * 1024,
            "recording_multi_channel_url": "x" * 1024,
            "call_status": "x" * 100,
            "disconnection_reason": "x" * 100,
            "caller_phone_number": "1" * 50,
            "user_sentiment": "x" * 50,
        },
        "no recording yet": {"recording_url": None},
        "unknown fields": {"agent_version": "v2", "anything": {"at": ["all"]}},
        "fractions of a millisecond": {"transcript_with_tool_calls": [row(start_ms=1.5)]},
        "null for all that is optional": dict.fromkeys(
            ["transcript", "duration_ms", "call_successful", "call_cost", "call_analysis"]
        ),
        "an empty row of a tool": {
            "transcript_with_tool_calls": [{"role": "agent_result", "tool": {}}]
        },
        "own ids in either type": {"workspace_id": 7, "agent_remote_identifier": "a"},
    },
)
def test_what_the_exact_types_take(changes: dict[str, Any]) -> None:
    """Exact means the documented types; fields that are not looked at may be anything."""
    assert exact.decode(json.dumps(body(**changes)).encode()).is_timed()


@table(
    "changes",
    {
        "an integer in a string": {"start_timestamp": "12"},
        "a float for an integer": {"start_timestamp": 12.0},
        "a boolean in a string": {"call_successful": "true"},
        "a call_id that is too long": {"call_id": "x" * 201},
        "a call_type that is too long": {"call_type": "x" * 101},
        "a recording that is too long": {"recording_url": "x" * 1025},
        "another recording that is": {"recording_multi_channel_url": "x" * 1025},
        "a status that is too long": {"call_status": "x" * 101},
        "a reason that is": {"disconnection_reason": "x" * 101},
        "a phone number that is": {"caller_phone_number": "1" * 51},
        "a sentiment that is": {"user_sentiment": "x" * 51},
        "an empty call_id": {"call_id": ""},
        "an empty recording": {"recording_url": ""},
        "a node that comes from a number": {
            "transcript_with_tool_calls": [row(node={"from": 1, "to": "a"})]
        },
        "an array for an object": {"call_analysis": []},
        "null for a row's metadata": {"transcript_with_tool_calls": [row(metadata=None)]},
        "a node that leads nowhere": {"transcript_with_tool_calls": [row(node={"from": "a"})]},
        "another role": {"transcript_with_tool_calls": [row(role="assistant")]},
        "no rows": {"transcript_with_tool_calls": []},
    },
)
def test_what_they_leave_to_the_lax_rules(changes: dict[str, Any]) -> None:
    """Some of it Tuner takes all the same."""
    with pytest.raises(msgspec.ValidationError):
        exact.decode(json.dumps(body(**changes)).encode())


def test_the_older_form_is_not_exact() -> None:
    """Its rows have other roles."""
    with pytest.raises(msgspec.ValidationError):
        exact.decode(OLDER)


@many
@given(bodies)
def test_what_is_exact_the_lax_rules_accept_too(text: bytes) -> None:
    """Two readers, one judgement: else the one that happened to look would decide."""
    try:
        typed = exact.decode(text)
        text.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return

    found = [problem.place for problem in problems(parse(text), old_rows=False)]

    if typed.is_timed():
        assert found == (["recording_url"] if typed.recording_url is None else [])
    else:
        assert found
    assert not is_poison(text)
