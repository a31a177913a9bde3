"""CloudEvents 1.0: the structured mode and the binary mode of its Kafka protocol binding."""

import base64
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase

import msgspec

from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.parsing import to_utf8
from ingestor.core.record import Header

STRUCTURED = b"application/cloudevents+json"


class _Envelope(msgspec.Struct, gc=False):
    type: object = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: object = None
    transcript_with_tool_calls: msgspec.Raw = msgspec.Raw()


_envelope = msgspec.json.Decoder(_Envelope)


class EventTypes:
    """The event types to deliver: patterns such as `com.example.call.*`; none means every type."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._patterns = tuple(patterns)

    @property
    def has_patterns(self) -> bool:
        """Whether the type of an event matters."""
        return bool(self._patterns)

    def ignore(self, event_type: str | None) -> Ignored | None:
        """Say that an event of this type is to be ignored, or nothing.

        An event that does not tell its type is not known to be of another one.
        """
        if not (self._patterns and event_type):
            return None
        if any(fnmatchcase(event_type, pattern) for pattern in self._patterns):
            return None
        return Ignored("event_type", event_type)


def is_structured(headers: Sequence[Header]) -> bool:
    """Whether the content type says that the value is an envelope (binding, section 3.3)."""
    for name, value in headers:
        if name.lower() == "content-type" and value is not None:
            return value.strip().lower().startswith(STRUCTURED)
    return False


def looks_structured(parsed: object) -> bool:
    """Whether a parsed value is an envelope although no header says so; what has a transcript is a
    body, whatever stands beside it.
    """
    return (
        isinstance(parsed, dict)
        and "specversion" in parsed
        and "transcript_with_tool_calls" not in parsed
    )


def binary_type(headers: Sequence[Header]) -> str | None:
    """Read the event type from the headers (binding, section 3.2); None when this is no binary
    CloudEvent.
    """
    named = {name.lower(): value for name, value in headers}
    if "ce_specversion" not in named:
        return None
    return (named.get("ce_type") or b"").decode("utf-8", "replace")


def open_envelope(value: bytes, types: EventTypes) -> bytes | Ignored | Dead | None:
    """Take the data out of a structured event, byte for byte; None when *value* is no envelope,
    whatever its content type says.
    """
    try:
        envelope = _envelope.decode(to_utf8(value))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if envelope.transcript_with_tool_calls:
        return None
    if ignored := types.ignore(envelope.type if isinstance(envelope.type, str) else None):
        return ignored
    if (data := bytes(envelope.data)) not in (b"", b"null"):
        return data
    return _unarmour(envelope.data_base64)


def _unarmour(text: object) -> bytes | Dead:
    if text is None:
        return Dead(Reason.MALFORMED, "data: is required")
    if isinstance(text, str):
        with suppress(ValueError):
            return base64.b64decode(text, validate=True)
    return Dead(Reason.MALFORMED, "data_base64: is not base64")
