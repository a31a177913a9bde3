"""CloudEvents 1.0: the structured mode and the binary mode of its Kafka protocol binding."""

import base64
import binascii
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.parsing import parse, poison, to_utf8
from ingestor.core.problem import Problem, sentence
from ingestor.core.record import Header

STRUCTURED = b"application/cloudevents+json"


class _Envelope(msgspec.Struct, gc=False):
    type: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


_envelope = msgspec.json.Decoder(_Envelope)


class EventTypes:
    """The event types to deliver: patterns such as `com.example.call.*`; none means every type."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._patterns = tuple(patterns)

    def ignore(self, event_type: str | None) -> Ignored | None:
        """Say that an event of this type is to be ignored, or nothing."""
        if not self._patterns or any(
            fnmatchcase(event_type or "", pattern) for pattern in self._patterns
        ):
            return None
        return Ignored("event_type", event_type)


def is_structured(headers: Sequence[Header]) -> bool:
    """Whether the content type says that the value is an envelope (binding, section 3.3)."""
    for name, value in headers:
        if name.lower() == "content-type" and value is not None:
            return value.strip().lower().startswith(STRUCTURED)
    return False


def looks_structured(parsed: object) -> bool:
    """Whether a parsed value is an envelope although no header says so."""
    return (
        isinstance(parsed, dict)
        and "specversion" in parsed
        and not {"data", "data_base64"}.isdisjoint(parsed)
    )


def binary_type(headers: Sequence[Header]) -> str | None:
    """Read the event type from the headers (binding, section 3.2); None when this is no binary
    CloudEvent.
    """
    named = {name.lower(): value for name, value in headers}
    if "ce_specversion" not in named:
        return None
    return (named.get("ce_type") or b"").decode("utf-8", "replace")


def open_envelope(value: bytes, types: EventTypes) -> bytes | Ignored | Dead:
    """Take the data out of a structured event, byte for byte."""
    try:
        envelope = _envelope.decode(to_utf8(value))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _refuse(value)
    if ignored := types.ignore(envelope.type):
        return ignored
    if data := bytes(envelope.data):
        return data
    if envelope.data_base64 is None:
        return Dead(Reason.MALFORMED, "data: is required")
    try:
        return base64.b64decode(envelope.data_base64, validate=True)
    except (binascii.Error, ValueError):
        return Dead(Reason.MALFORMED, "data_base64: is not base64")


def _refuse(value: bytes) -> Dead:
    parsed = parse(value)
    if isinstance(parsed, Problem):
        return Dead(Reason.MALFORMED, str(parsed), (parsed,))
    found = tuple(poison(parsed)) or (
        Problem("", "is not a CloudEvent: an object whose type and data_base64 are strings"),
    )
    return Dead(Reason.MALFORMED, sentence(found), found)
