"""Strategies for JSON that is valid, nearly valid, or not JSON at all."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

# The machine may be busy: how long an example takes says nothing.
many = settings(max_examples=100, deadline=None)

REFERENCE = b"""{
  "call_id": "orders-7f3a",
  "call_type": "phone_call",
  "start_timestamp": 1781108000000,
  "end_timestamp": 1781108062000,
  "recording_url": "https://media.example.test/orders-7f3a.wav",
  "duration_ms": 62000,
  "call_status": "call_ended",
  "disconnection_reason": "user_hangup",
  "caller_phone_number": "+15550100",
  "call_successful": true,
  "user_sentiment": "neutral",
  "call_cost": 10.2,
  "metadata": {"tenant": "t-9"},
  "transcript_with_tool_calls": [
    {"role": "node_transition", "start_ms": 0, "node": {"from": "start", "to": "greet"}},
    {"role": "agent", "text": "Hello.", "content": "Hello.", "start_ms": 400, "end_ms": 1500,
     "metadata": {"tts_node_ttfb": 210, "interrupted": false}},
    {"role": "user", "text": "My balance?", "content": "My balance?", "start_ms": 2100,
     "duration_ms": 900,
     "words": [{"word": "My", "start_ms": 2100, "end_ms": 2300, "confidence": 0.98},
               {"word": "balance?", "start_ms": 2300, "end_ms": 3000, "confidence": 0.95}]},
    {"role": "agent_function", "start_ms": 3200,
     "tool": {"name": "get_balance", "request_id": "tc1", "params": {}}},
    {"role": "agent_result", "start_ms": 3900, "tool": {"name": "get_balance", "request_id": "tc1",
     "result": {"value": "12.40"}, "is_error": false}}
  ]
}
"""
"""A body with all that is usual, in the form that is advised to clients of Tuner's Create Call."""

OLDER = b"""{
  "call_id": "orders-7f3a",
  "call_type": "phone_call",
  "start_timestamp": 1781108000000,
  "end_timestamp": 1781108062000,
  "transcript_with_tool_calls": [
    {"role": "system", "content": "You are a bank."},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "My balance?"}
  ]
}
"""
"""A body in the older form: rows without times, and no recording."""

_OTHER_FIELDS = [
    "agent_version",
    "agent_remote_identifier",
    "call_analysis",
    "collected_dynamic_variables",
    "data",
    "data_base64",
    "error",
    "general_meta_data_raw",
    "in_voicemail",
    "reason",
    "recording_multi_channel_url",
    "specversion",
    "transcript",
    "type",
    "workspace_id",
]
FIELDS = _OTHER_FIELDS + [word for word in REFERENCE.decode().split('"') if word.islower()]

# Tokens that `json.dumps` does not write.
_RAW = ["1e400", "-1e400", "9" * 5000, "-0", "1E5", "12.0", "0.5", "NaN", "Infinity", "-Infinity"]
_RAW_MARK = "raw token "

_any_text = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["", " ", "x" * 50, "x" * 51, "x" * 101, "x" * 201, "x" * 1025, "\U0001f600" * 200, "\ud800"]
)
_spelled = st.text("0123456789+-._eE ", max_size=6) | st.sampled_from(
    ["12", "12.0", " 12 ", "1_0", "1e3", "nan", "inf", "true", "FALSE", "yes", "off", "2", "\u0661"]
)
_numbers = (
    st.integers() | st.floats() | st.sampled_from([0, 1, 12.0, 12.5, -1, 10**18, 10**400, 1e300])
)
_scalars = (
    st.none()
    | st.booleans()
    | _numbers
    | _any_text
    | _spelled
    | st.sampled_from([_RAW_MARK + token for token in _RAW])
)
_keys = st.sampled_from(FIELDS) | _any_text


def json_values(
    scalars: st.SearchStrategy[Any] = _scalars, keys: st.SearchStrategy[str] = _keys
) -> st.SearchStrategy[Any]:
    """Draw whatever JSON can say, and a little more."""
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )


@st.composite
def mutated(
    draw: st.DrawFn,
    values: st.SearchStrategy[Any] = json_values(),  # noqa: B008 - strategies do not change
    keys: st.SearchStrategy[str] = _keys,
) -> Any:
    """Draw a usual body with up to three places changed, removed or added to."""
    body: Any = json.loads(draw(st.sampled_from([REFERENCE, REFERENCE, OLDER])))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(body))
        if places:
            parent, step = draw(st.sampled_from(places))
            _change(draw, parent, step, values, keys)
    return body


def _places(parent: Any) -> Iterator[tuple[Any, str | int]]:
    """List every place in *parent*: a container, and a key or an index."""
    inside = parent.items() if isinstance(parent, dict) else enumerate(parent)
    for step, inner in inside:
        yield parent, step
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def _change(
    draw: st.DrawFn,
    parent: Any,
    step: str | int,
    values: st.SearchStrategy[Any],
    keys: st.SearchStrategy[str],
) -> None:
    match draw(st.sampled_from(["remove", "add", "replace", "replace"])):
        case "remove":
            del parent[step]
        case "add" if isinstance(parent, dict):
            parent[draw(keys)] = draw(values)
        case _:
            parent[step] = draw(values)


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """Write what *values* draws as JSON: spaced or not, escaped or not, in any encoding."""
    written = json.dumps(
        draw(values),
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")])),
    )
    for token in _RAW:
        written = written.replace(f'"{_RAW_MARK}{token}"', token)
    encodings = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]
    return written.encode(draw(st.sampled_from(encodings)), "surrogatepass")


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Break the bytes that *whole* draws in a few places."""
    text = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(text)


bodies = texts(mutated())
"""Bodies of which Tuner takes some and refuses others."""

anything = bodies | _damaged(bodies) | texts(json_values()) | st.binary()
"""Bytes that may be the value of a record."""

_content_types = [b"application/cloudevents+json", b"application/json", b"", b"\xff"]
headers = st.lists(
    st.tuples(st.just("content-type"), st.none() | st.sampled_from(_content_types))
    | st.tuples(st.sampled_from(["ce_specversion", "ce_type", "CE_Type"]), st.none() | st.binary())
    | st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)),
    max_size=3,
)
"""Headers that may stand at a record."""
