"""Builders of what the service works on: valid by default, a test names only what matters."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from ingestor.core.answer import Answered
from ingestor.core.call import Call
from ingestor.core.outcome import Dead, Reason, Tries
from ingestor.core.record import Damage, Header, Partition, Record
from ingestor.core.route import Destination, Route
from ingestor.core.verdict import Circumstances

NOW = 1_781_108_062.0


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
"""As a field's value: the field is left out."""


def changed(fields: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, Any]:
    """Overlay *fields* with *changes*; what is ABSENT is left out."""
    return {name: value for name, value in {**fields, **changes}.items() if value is not ABSENT}


def row(**changes: object) -> dict[str, Any]:
    """Build a transcript row: two seconds of a user who speaks."""
    fields = {"role": "user", "text": "My balance?", "start_ms": 2100, "end_ms": 4100}
    return changed(fields, changes)


def body(**changes: object) -> dict[str, Any]:
    """Build the body of a call: the required fields, with one row."""
    fields = {
        "call_id": "orders-7f3a",
        "call_type": "phone_call",
        "start_timestamp": 1_781_108_000_000,
        "end_timestamp": 1_781_108_062_000,
        "recording_url": "https://media.example.test/orders-7f3a.wav",
        "transcript_with_tool_calls": [row()],
    }
    return changed(fields, changes)


def event(**changes: object) -> bytes:
    """Build the JSON text of a `body`."""
    return json.dumps(body(**changes)).encode()


def envelope(**changes: object) -> dict[str, Any]:
    """Build a CloudEvent in structured mode around a `body`."""
    fields = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/calls",
        "type": "com.example.call.ended",
        "data": body(),
    }
    return changed(fields, changes)


def framed(payload: bytes, schema_id: int = 7) -> bytes:
    """Put the frame of a schema registry around *payload*."""
    return b"\0" + schema_id.to_bytes(4, "big") + payload


def record(
    value: bytes | None = event(),
    *,
    topic: str = "call-ended",
    partition: int = 0,
    offset: int = 0,
    timestamp: int = 1_781_108_062_500,
    key: bytes | None = None,
    headers: Sequence[Header] = (),
    damage: Damage | None = None,
) -> Record:
    """Build a record: an event at the begin of a partition."""
    return Record(
        Partition(topic, partition), offset, timestamp, key, value, tuple(headers), damage
    )


def call(
    call_id: str = "orders-7f3a",
    *,
    body: bytes | None = None,
    workspace: object = None,
    agent: object = None,
) -> Call:
    """Build a call whose body has the same *call_id* unless told."""
    return Call(call_id, event(call_id=call_id) if body is None else body, workspace, agent)


def destination(
    base_url: str = "https://tuner.example.test", credential: str = "default"
) -> Destination:
    """Build a destination."""
    return Destination(base_url, credential)


def route(
    *,
    workspace: str = "7",
    agent: str = "front-desk",
    to: Destination = destination(),  # noqa: B008 - it is frozen
    is_configured: bool = True,
) -> Route:
    """Build a route whose ids come from the settings."""
    return Route(to, workspace, agent, is_configured)


def answered(
    status: int = 201,
    body: object = ABSENT,
    *,
    retry_after: str | None = None,
    is_whole: bool = True,
    is_repeat: bool = False,
) -> Answered:
    """Build an answer; *body* in bytes or as what JSON can say, that of a new call unless told."""
    if body is ABSENT:
        body = {"id": 1, "provider_call_id": "orders-7f3a", "is_new": True}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answered(status, text, retry_after, is_whole, is_repeat)


def circumstances(
    *, now: float = NOW, is_unclear: bool = False, is_proven: bool = True
) -> Circumstances:
    """Build the circumstances of a first attempt on a route that works."""
    return Circumstances(now, is_unclear, is_proven)


def dead(reason: Reason = Reason.REFUSED, message: str = "Tuner answered 422", **more: Any) -> Dead:
    """Build the outcome of a call that Tuner refused at its first attempt."""
    fields = {"status": 422, "tries": Tries(1, NOW, NOW), "call_id": "orders-7f3a"}
    return Dead(reason, message, **changed(fields, more))
