"""An event comes in by any door, and through two of them."""

import base64
import json
from collections.abc import Sequence

import pytest
from builders import ABSENT, body, envelope, event, framed, record
from core.tables import table

from ingestor.core.call import Call
from ingestor.core.decoder import Decoded, Decoder, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.record import Header

STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]
BINARY = [("ce_specversion", b"1.0"), ("ce_type", b"com.example.call.ended")]
EVERY = EventTypes()
ENDED = EventTypes(["com.example.call.ended"])
AVRO = bytes([0x14]) + b"orders-7f3a"


def decode(value: bytes, headers: Sequence[Header] = (), types: EventTypes = EVERY) -> Decoded:
    return Decoder(Reading(event_types=types)).decode(record(value, headers=headers))


NOT_JSON = Dead(
    Reason.MALFORMED, "is framed by a schema registry, but what the frame holds is not JSON"
)
ENVELOPE = json.dumps(envelope()).encode()
ARMOURED = json.dumps(
    envelope(data=ABSENT, data_base64=base64.b64encode(event()).decode())
).encode()
CALL = Call("orders-7f3a", event())


@table(
    "value, headers, expected",
    {
        "structured, by its header": (ENVELOPE, STRUCTURED, CALL),
        "structured, without a header": (ENVELOPE, [], CALL),
        "structured, in base64": (ARMOURED, STRUCTURED, CALL),
        "structured, in base64, without a header": (ARMOURED, [], CALL),
        "structured, in UTF-16": (ENVELOPE.decode().encode("utf-16"), [], CALL),
        "structured, with unknown headers": (ENVELOPE, [("a", None)], CALL),
        "binary": (event(), BINARY, CALL),
        "binary around structured": (ENVELOPE, BINARY, CALL),
        "framed": (framed(event()), [], CALL),
        "framed and structured": (framed(ENVELOPE), STRUCTURED, CALL),
        "framed and structured, without a header": (framed(ENVELOPE), [], CALL),
        "framed and binary": (framed(event()), BINARY, CALL),
        "framed by a schema whose id looks like UTF-32": (framed(event(), 31_500), [], CALL),
        "framed Avro": (framed(AVRO), [], NOT_JSON),
        "framed Avro in binary mode": (framed(AVRO), BINARY, NOT_JSON),
        "bare, whatever the header says": (event(), STRUCTURED, CALL),
    },
)
def test_an_event_comes_in_by_any_door(
    value: bytes, headers: Sequence[Header], expected: Decoded
) -> None:
    """And through two of them."""
    assert decode(value, headers) == expected


@table("headers", {"by its header": STRUCTURED, "without a header": []})
def test_an_envelope_is_opened_once(headers: Sequence[Header]) -> None:
    """What its data holds is a call, or a letter."""
    decoded = decode(json.dumps(envelope(data=envelope())).encode(), headers)

    assert isinstance(decoded, Dead)
    assert decoded.reason is Reason.INVALID


@table(
    "value, message",
    {
        "without data": (json.dumps(envelope(data=ABSENT)).encode(), "data: is required"),
        "with data that is no object": (
            json.dumps(envelope(data="call")).encode(),
            "must be a JSON object",
        ),
        "with poison in its data": (
            json.dumps(envelope(data=body(call_cost=float("nan")))).encode(),
            "data.call_cost: is NaN",
        ),
        "that is cut off": (ENVELOPE[:-1], "is not JSON"),
    },
)
@pytest.mark.parametrize("headers", [STRUCTURED, []], ids=["by its header", "without"])
def test_an_envelope_that_cannot_be_opened_is_malformed(
    value: bytes, message: str, headers: Sequence[Header]
) -> None:
    """The message is about the envelope."""
    decoded = decode(value, headers)

    assert isinstance(decoded, Dead)
    assert decoded.reason is Reason.MALFORMED
    assert decoded.message.startswith(message)


OTHER = json.dumps(envelope(type="com.example.chat")).encode()


@table(
    "value, headers",
    {
        "structured": (OTHER, STRUCTURED),
        "structured, without a header": (OTHER, []),
        "structured, without data": (
            json.dumps(envelope(type="com.example.chat", data=ABSENT)).encode(),
            [],
        ),
        "binary": (b"anything", [("ce_specversion", b"1.0"), ("ce_type", b"com.example.chat")]),
        "framed": (framed(OTHER), []),
    },
)
def test_events_of_other_types_are_ignored(value: bytes, headers: Sequence[Header]) -> None:
    """Only when the settings name the types that are wanted."""
    assert decode(value, headers, ENDED) == Ignored("event_type", "com.example.chat")
    assert not isinstance(decode(value, headers), Ignored)


@table(
    "value, headers",
    {
        "of a wanted type": (ENVELOPE, STRUCTURED),
        "of a wanted type, without a header": (ENVELOPE, []),
        "of a wanted type, in binary mode": (event(), BINARY),
        "that is no CloudEvent": (event(), []),
        "of no type": (json.dumps(envelope(type=ABSENT)).encode(), []),
        "of no type, in binary mode": (event(), BINARY[:1]),
    },
)
def test_every_other_event_is_delivered(value: bytes, headers: Sequence[Header]) -> None:
    """What does not say that it is something else is a call."""
    assert decode(value, headers, ENDED) == CALL
