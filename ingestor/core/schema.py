"""Describes the event as JSON Schema (2020-12), for those who publish it: what is sure to be taken,
not all that may be.
"""

from typing import Any

import msgspec

from ingestor.core.body import SPEECH, Body

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What Tuner takes beside the fields that are looked at here.
_MORE: dict[str, dict[str, Any]] = {
    "agent_version": {"type": "integer", "minimum": 0},
    "metadata": {"type": "object", "description": "Small keys of your own."},
    "sip_call_id": {"type": "string", "description": "SIP Call-ID of the inbound leg."},
    "recipient": {"type": "string", "description": "The number or SIP URI that was dialled."},
    "sip_headers": {"type": "object", "additionalProperties": {"type": "string"}},
}


def schema(*, needs_recording: bool = True) -> dict[str, Any]:
    """Write the schema of a bare event; *needs_recording* unless a placeholder is supplied."""
    whole = msgspec.json.schema(Body)
    parts = whole.pop("$defs")
    body = parts.pop("Body")
    body["properties"] |= _MORE
    if needs_recording:
        body["required"].append("recording_url")
        body["properties"]["recording_url"] = body["properties"]["recording_url"]["anyOf"][0]
    parts["Segment"] |= _timing()
    return {"$schema": DIALECT, **body, "title": "Call-ended event", "$defs": parts}


def _timing() -> dict[str, Any]:
    """Say what a type cannot: a spoken row says when it was spoken."""
    times = [
        {"properties": {end: {"type": "number"}}, "required": [end]}
        for end in ("end_ms", "duration_ms")
    ]
    words = {"properties": {"words": {"type": "array", "minItems": 1}}, "required": ["words"]}
    start = {
        "properties": {"start_ms": {"type": "number"}},
        "required": ["start_ms"],
        "anyOf": times,
    }
    return {
        "if": {"properties": {"role": {"enum": list(SPEECH)}}},
        "then": {"anyOf": [words, start]},
    }
