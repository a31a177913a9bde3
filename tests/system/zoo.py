"""Events that no decent publisher writes, and what has to become of each."""

import json
from dataclasses import dataclass

from builders import body, row
from kafka.cluster import Headers

DEEP = 100_000
DIGITS = "7" * 10_000
LONG_TEXT = "x" * 3_000_000
ANY_BYTES = bytes(range(256))


@dataclass(frozen=True, slots=True)
class Animal:
    """An event, and the *reason* of its letter; without one, and when Tuner refused it, it was
    posted as it is.
    """

    value: bytes
    reason: str | None
    headers: Headers = ()
    key: bytes | None = None


def event(call_id: str, **changes: object) -> bytes:
    """Write a call."""
    return json.dumps(body(call_id=call_id, **changes)).encode()


def with_text(call_id: str, text: str) -> bytes:
    """Write a call with a field of any JSON text."""
    return event(call_id, note="?").replace(b'"?"', text.encode())


ANIMALS: dict[str, Animal] = {
    "any bytes": Animal(ANY_BYTES, "malformed"),
    "any bytes in a string": Animal(event("z").replace(b"balance", ANY_BYTES), "malformed"),
    "nothing": Animal(b"", "malformed"),
    "a zero byte": Animal(b"\0", "malformed"),
    "a number": Animal(b"7", "malformed"),
    "half an event": Animal(event("half")[:-1], "malformed"),
    "brackets": Animal(b"[" * DEEP, "malformed"),
    "nested arrays": Animal(with_text("deep", "[" * DEEP + "]" * DEEP), "malformed"),
    "nested objects": Animal(with_text("deep", '{"a":' * DEEP + "1" + "}" * DEEP), "malformed"),
    "not a number": Animal(with_text("nan", "NaN"), "malformed"),
    "a lone surrogate": Animal(with_text("surrogate", r'"\ud800"'), "malformed"),
    "a call_id of 300": Animal(event("i" * 300), "invalid"),
    "an endless workspace": Animal(event("w", workspace_id=DIGITS), "no_route"),
    "an endless agent": Animal(event("a", agent_remote_identifier="a" * 9_000), "no_route"),
    "an agent of any bytes": Animal(event("h"), "no_route", (("tuner-agent-id", ANY_BYTES),)),
    "a digit without end": Animal(with_text("digits", DIGITS), "refused"),
    "a fraction without end": Animal(with_text("fraction", "0." + DIGITS), None),
    "an id of control characters": Animal(event("\u0000\u0001\r\nX-Key: 1\u007f"), None),
    "another call": Animal(event("\u202e\U0001f4de"), None),
    "duplicate keys": Animal(event("twice").replace(b"{", b'{"call_id": "once", ', 1), None),
    "megabytes": Animal(event("large", transcript_with_tool_calls=[row(text=LONG_TEXT)]), None),
    "many rows": Animal(event("rows", transcript_with_tool_calls=[row()] * 20_000), None),
    "any key and headers": Animal(
        event("bytes"), None, (("", b""), ("x" * 3_000, ANY_BYTES), ("\r\n", None)), ANY_BYTES
    ),
}
