"""CloudEvents in structured and in binary mode."""

import base64
import json
from collections.abc import Sequence

import pytest
from builders import ABSENT, body, envelope, event
from core.strategies import anything, json_values, many
from core.tables import table
from hypothesis import given

from ingestor.core.doors.cloudevents import (
    EventTypes,
    binary_type,
    is_structured,
    looks_structured,
    open_envelope,
)
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.record import Header

EVERY = EventTypes()
ENDED = EventTypes(["com.example.call.*", "*.ended"])


def text(**changes: object) -> bytes:
    return json.dumps(envelope(**changes)).encode()


@table(
    "types, event_type, is_wanted",
    {
        "unset, every type is wanted": (EVERY, "com.example.other", True),
        "a pattern may end with anything": (ENDED, "com.example.call.analysed", True),
        "or begin with it": (ENDED, "org.example.ended", True),
        "no pattern is met": (ENDED, "com.example.chat.started", False),
        "letters are told apart": (ENDED, "COM.example.call.ended.x", False),
        "a type that is not told is not another type": (ENDED, None, True),
        "nor is an empty one": (ENDED, "", True),
    },
)
def test_only_events_of_other_types_are_ignored(
    types: EventTypes, event_type: str | None, *, is_wanted: bool
) -> None:
    """An event is dropped only for what it says of itself."""
    expected = None if is_wanted else Ignored("event_type", event_type)

    assert types.ignore(event_type) == expected


@table(
    "headers, expected",
    {
        "the envelope's type": ([("content-type", b"application/cloudevents+json")], True),
        "with a parameter": (
            [("content-type", b"application/cloudevents+json; charset=utf-8")],
            True,
        ),
        "in capitals": ([("Content-Type", b" Application/CloudEvents+JSON")], True),
        "after other headers": (
            [("a", b"b"), ("content-type", b"application/cloudevents+json")],
            True,
        ),
        "the first of two decides": (
            [("content-type", b"text/plain"), ("content-type", b"application/cloudevents+json")],
            False,
        ),
        "another format": ([("content-type", b"application/cloudevents+avro")], False),
        "a batch": ([("content-type", b"application/cloudevents-batch+json")], False),
        "plain JSON": ([("content-type", b"application/json")], False),
        "a header without a value": ([("content-type", None)], False),
        "no headers": ([], False),
    },
)
def test_the_content_type_tells_an_envelope(headers: Sequence[Header], *, expected: bool) -> None:
    """Structured mode is declared by it (Kafka protocol binding, section 3.3)."""
    assert is_structured(headers) is expected


@table(
    "parsed, expected",
    {
        "an envelope": (envelope(), True),
        "an envelope without data": (envelope(data=ABSENT), True),
        "a body": (body(), False),
        "a body with a version of its own": (body(specversion="1.0", data={}), False),
        "something with data": ({"type": "x", "data": {}}, False),
        "no object": ([envelope()], False),
    },
)
def test_an_envelope_is_known_without_its_content_type(parsed: object, *, expected: bool) -> None:
    """Many producers set no header."""
    assert looks_structured(parsed) is expected


@table(
    "headers, expected",
    {
        "a type": ([("ce_specversion", b"1.0"), ("ce_type", b"com.example.a")], "com.example.a"),
        "in capitals": ([("CE_SpecVersion", b"1.0"), ("CE_Type", b"a")], "a"),
        "no type": ([("ce_specversion", b"1.0")], ""),
        "a type without a value": ([("ce_specversion", b"1.0"), ("ce_type", None)], ""),
        "a type that is no text": ([("ce_specversion", b"1.0"), ("ce_type", b"\xff")], "\ufffd"),
        "no version, no CloudEvent": ([("ce_type", b"a")], None),
        "no headers": ([], None),
    },
)
def test_a_binary_event_tells_its_type_in_headers(
    headers: Sequence[Header], expected: str | None
) -> None:
    """Binary mode is declared by its version (Kafka protocol binding, section 3.2)."""
    assert binary_type(headers) == expected


def test_data_is_taken_out_byte_for_byte() -> None:
    """What was published is what is posted, with its spaces and its spelling."""
    data = b'{ "call_id" : "\\u0061",\n "n": 1.50 }'
    value = b'{"specversion": "1.0", "data": ' + data + b' , "type": "x"}'

    assert open_envelope(value, EVERY) == data


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_an_envelope_may_be_in_any_encoding(encoding: str) -> None:
    """Its data is then in UTF-8, as is all that is spliced."""
    assert open_envelope(text().decode().encode(encoding), EVERY) == event()


ARMOURED = base64.b64encode(event()).decode()


@table(
    "changes, opened",
    {
        "data": ({}, event()),
        "data in base64": ({"data": ABSENT, "data_base64": ARMOURED}, event()),
        "both": ({"data": {"a": 1}, "data_base64": ARMOURED}, b'{"a": 1}'),
        "data in base64 beside null": ({"data": None, "data_base64": ARMOURED}, event()),
        "data that is an array": ({"data": [1]}, b"[1]"),
        "no version, only the header said so": ({"specversion": ABSENT}, event()),
        "a type that is no text": ({"type": 5}, event()),
        "fields of the extension kind": ({"traceparent": "00-1"}, event()),
    },
)
def test_an_envelope_is_opened(changes: dict[str, object], opened: bytes) -> None:
    """In whatever of the forms it carries its data."""
    assert open_envelope(text(**changes), EVERY) == opened


@table(
    "changes, message",
    {
        "no data": ({"data": ABSENT}, "data: is required"),
        "null": ({"data": None}, "data: is required"),
        "letters that are not of base64": (
            {"data": ABSENT, "data_base64": f"{ARMOURED[:4]}****{ARMOURED[4:]}"},
            "data_base64: is not base64",
        ),
        "letters of another alphabet": (
            {"data": ABSENT, "data_base64": "\u00e4\u00e4\u00e4\u00e4"},
            "data_base64: is not base64",
        ),
        "half of base64": (
            {"data": ABSENT, "data_base64": ARMOURED[:-3]},
            "data_base64: is not base64",
        ),
        "a number": ({"data": ABSENT, "data_base64": 1234}, "data_base64: is not base64"),
    },
)
def test_an_envelope_without_data_is_a_letter(changes: dict[str, object], message: str) -> None:
    """The message says what is missing, and no more."""
    assert open_envelope(text(**changes), EVERY) == Dead(Reason.MALFORMED, message)


def test_an_event_of_another_type_is_not_opened() -> None:
    """It need not even have data; one whose type is no text may be of any."""
    assert open_envelope(text(type="a.b", data=None), ENDED) == Ignored("event_type", "a.b")
    assert open_envelope(text(type="com.example.call.ended"), ENDED) == event()
    assert open_envelope(text(type=["a.b"]), ENDED) == event()


@table(
    "value",
    {
        "a body": event(),
        "a body with fields of an envelope": event(specversion="1.0", data={}, type=5),
        "an array": b"[]",
        "half of an envelope": text()[:-1],
        "bytes that are no text": "{\ud83d}".encode("utf-16-be", "surrogatepass"),
        "brackets without end": b'{"type":' + b"[" * 100_000,
    },
)
def test_what_is_no_envelope_is_left_alone(value: bytes) -> None:
    """A content type can be wrong: whether the value is a call, it says itself."""
    assert open_envelope(value, EVERY) is None


@many
@given(anything)
def test_any_bytes_can_be_asked_to_open(value: bytes) -> None:
    """Nothing raises, and what comes out was in it."""
    opened = open_envelope(value, ENDED)

    assert opened is None or isinstance(opened, (bytes, Ignored, Dead))


@many
@given(json_values())
def test_whatever_data_says_comes_out_as_it_was(data: object) -> None:
    """Also what is no call: that is decided behind the door."""
    value = json.dumps(envelope(data=data)).encode()
    opened = open_envelope(value, EVERY)

    if isinstance(opened, bytes) and not isinstance(data, float):
        assert json.dumps(data).encode() == opened
