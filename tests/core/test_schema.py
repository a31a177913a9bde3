"""What the schema takes is sure to be taken; it need not describe all that is."""

import json
from typing import Any

import jsonschema
import pytest
from builders import ABSENT, body, event, record, row

from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.schema import schema

EVERYTHING = body(
    agent_version=3,
    call_cost=10.2,
    call_successful=True,
    metadata={"tenant": "t-9"},
    sip_headers={"X-Correlation-Id": "0"},
    my_own_field=[1, 2],
    transcript_with_tool_calls=[
        row(words=[{"word": "My", "start_ms": 1, "end_ms": 2, "confidence": 0.5}], start_ms=ABSENT),
        row(end_ms=ABSENT, duration_ms=900.5),
        {"role": "agent_function", "tool": {"name": "get", "params": {}}},
        {"role": "node_transition", "node": {"from": "a", "to": "b"}},
    ],
)


def is_described(value: object, whole: dict[str, Any] | None = None) -> bool:
    """Whether the schema takes *value*."""
    return jsonschema.Draft202012Validator(whole or schema()).is_valid(value)


def test_the_schema_is_a_schema() -> None:
    """Whatever reads JSON Schema can read it."""
    jsonschema.Draft202012Validator.check_schema(schema())
    json.dumps(schema())


@pytest.mark.parametrize("value", [body(), EVERYTHING])
def test_what_it_describes_is_taken(value: dict[str, object]) -> None:
    """A publisher who keeps to it is never refused."""
    assert is_described(value)
    assert isinstance(Decoder(Reading()).decode(record(json.dumps(value).encode())), Call)


@pytest.mark.parametrize(
    "value",
    [
        body(call_id=ABSENT),
        body(call_id=""),
        body(recording_url=ABSENT),
        body(recording_url=None),
        body(transcript_with_tool_calls=[]),
        body(transcript_with_tool_calls=[row(role="assistant")]),
        body(transcript_with_tool_calls=[row(end_ms=ABSENT)]),
        body(transcript_with_tool_calls=[row(start_ms=None)]),
        body(transcript_with_tool_calls=[row(start_ms=ABSENT, end_ms=ABSENT, words=[])]),
        body(transcript_with_tool_calls=[row(metadata=None)]),
    ],
)
def test_what_tuner_refuses_it_does_not_describe(value: dict[str, object]) -> None:
    """Required fields, lengths, roles, and the rule that speech has a time."""
    assert not is_described(value)


def test_with_a_placeholder_a_recording_is_not_required() -> None:
    """The service adds what the publisher leaves out."""
    whole = schema(needs_recording=False)

    assert is_described(body(recording_url=ABSENT), whole)
    assert isinstance(
        Decoder(Reading(recording_url="pending")).decode(record(event(recording_url=ABSENT))), Call
    )
