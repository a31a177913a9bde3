"""Decides what a record is: a call, a letter, or nothing to deliver.

The exact msgspec types come first. When they say no, the bytes are parsed as Tuner's server would
and the lax rules decide, so that nothing is refused here that Tuner might accept. Accepted bodies
are posted as they came, byte for byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import msgspec

from ingestor.core.body import exact
from ingestor.core.call import Call
from ingestor.core.doors.cloudevents import (
    EventTypes,
    binary_type,
    is_structured,
    looks_structured,
    open_envelope,
)
from ingestor.core.doors.framed import is_framed, unframe
from ingestor.core.mending import with_estimated_times, with_recording
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.parsing import may_be_poisoned, parse, poison
from ingestor.core.problem import Problem, first, sentence
from ingestor.core.record import Damage, Header, Record
from ingestor.core.rules import LONGEST_CALL_ID, is_old, problems

Decoded = Call | Dead | Ignored


class OldTranscripts(StrEnum):
    """What becomes of `{role, content}` rows without times: left to Tuner, given estimated times,
    or refused.
    """

    PASS = "pass"  # noqa: S105 - a word, not a password
    ESTIMATE = "estimate"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Reading:
    """How events are read: *max_bytes* of a value, the event types to deliver, and what may be
    added to a body.
    """

    max_bytes: int = 8 * 2**20
    event_types: EventTypes = field(default_factory=EventTypes)
    recording_url: str | None = None
    old_transcripts: OldTranscripts = OldTranscripts.PASS


class Decoder:
    """Reads records; never raises, whatever the bytes."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._max_bytes = reading.max_bytes
        self._has_types = reading.event_types.has_patterns

    def decode(self, record: Record) -> Decoded:
        """Decide what *record* is."""
        if record.damage is not None:
            return _bury(record, record.damage)
        value = record.value
        if value is None:
            return Ignored("tombstone")
        if len(value) > self._max_bytes:
            return Dead(
                Reason.TOO_LARGE,
                f"the event has {len(value)} bytes; at most {self._max_bytes} are taken",
            )
        # What is usual comes first. An exact body is no frame and no envelope; of all that headers
        # may say, only an event type that is not wanted matters to it.
        if not (self._has_types and record.headers) and (call := self._take(value)) is not None:
            return call
        return self._open(value, record.headers)

    def _open(self, value: bytes, headers: Sequence[Header]) -> Decoded:
        """Read what came through a door."""
        if is_framed(value):
            unframed = unframe(value)
            if unframed is None:
                return Dead(
                    Reason.MALFORMED,
                    "is framed by a schema registry, but what the frame holds is not JSON",
                )
            value = unframed
        if headers:
            if (event_type := binary_type(headers)) is not None:
                if ignored := self._reading.event_types.ignore(event_type):
                    return ignored
            elif is_structured(headers):
                return self._unwrap(value)
        return self._read(value)

    def _unwrap(self, envelope: bytes) -> Decoded:
        data = open_envelope(envelope, self._reading.event_types)
        if data is None:
            return self._read(envelope, is_data=True)
        return self._read(data, is_data=True) if isinstance(data, bytes) else data

    def _read(self, body: bytes, *, is_data: bool = False) -> Decoded:
        """Read a body by its exact types, or hand it to the lax rules; *is_data* when it is known
        not to be an envelope.
        """
        call = self._take(body)
        return self._weigh(body, is_data=is_data) if call is None else call

    def _take(self, body: bytes) -> Call | None:
        """Read a body by its exact types; None when that does not settle it."""
        try:
            typed = exact.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not (typed.is_timed() and (body.isascii() or is_utf8(body))):
            return None
        if typed.recording_url is None:
            if self._reading.recording_url is None:
                return None
            body = with_recording(body, self._reading.recording_url)
        return Call(typed.call_id, body, typed.workspace_id, typed.agent_remote_identifier)

    def _weigh(self, body: bytes, *, is_data: bool) -> Decoded:
        parsed = parse(body)
        if isinstance(parsed, Problem):
            return Dead(Reason.MALFORMED, str(parsed), (parsed,))
        if may_be_poisoned(body) and (found := first(poison(parsed))):
            return Dead(Reason.MALFORMED, sentence(found), found)
        if not isinstance(parsed, dict):
            return Dead(Reason.MALFORMED, "must be a JSON object")
        if looks_structured(parsed) and not is_data:
            return self._unwrap(body)
        body, parsed = self._mend(body, parsed)
        old_rows = self._reading.old_transcripts is OldTranscripts.PASS
        if found := first(problems(parsed, old_rows=old_rows)):
            return Dead(Reason.INVALID, sentence(found), found, call_id=_call_id(parsed))
        return Call(
            str(parsed["call_id"]),
            body,
            parsed.get("workspace_id"),
            parsed.get("agent_remote_identifier"),
        )

    def _mend(self, body: bytes, parsed: dict[str, object]) -> tuple[bytes, dict[str, object]]:
        """Add what the settings allow; a body that only the lax parser can read stays as it is."""
        try:
            return self._mended(body, parsed)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return body, parsed

    def _mended(self, body: bytes, parsed: dict[str, object]) -> tuple[bytes, dict[str, object]]:
        url = self._reading.recording_url
        if url is not None and parsed and parsed.get("recording_url") is None:
            body, parsed = with_recording(body, url), parsed | {"recording_url": url}
        rows = parsed.get("transcript_with_tool_calls")
        estimate = self._reading.old_transcripts is OldTranscripts.ESTIMATE
        if estimate and isinstance(rows, list) and any(map(is_old, rows)):
            body = with_estimated_times(body, parsed, rows)
            parsed = cast("dict[str, object]", parse(body))
        return body, parsed


def _bury(record: Record, damage: Damage) -> Dead:
    """Say which offsets are lost; those of which nothing was found were skipped."""
    reason = Reason.UNREADABLE if record.value else Reason.SKIPPED
    return Dead(reason, f"offsets {record.offset} to {damage.last}: {damage.cause}")


def _call_id(parsed: dict[str, object]) -> str | None:
    """Read the call_id of an invalid body, for its letter; None when it is none itself."""
    call_id = parsed.get("call_id")
    return call_id if isinstance(call_id, str) and 0 < len(call_id) <= LONGEST_CALL_ID else None


def is_utf8(body: bytes) -> bool:
    """Whether *body* is text: msgspec does not look at the bytes of strings that it skips."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
