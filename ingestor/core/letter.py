"""Writes the dead letter: the original key, value and headers, and headers that say all about the
failure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from ingestor.core.outcome import Dead
from ingestor.core.record import Header, Record
from ingestor.core.route import Route

PREFIX = "ingestor-"
SCHEMA = "1"
# Of an id that an event made up; the whole of it stands in the event.
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A record for the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class NotWritten:
    """A letter that the broker did not acknowledge, and the *remedy* for whoever can mend it; empty
    when it mends itself. The trouble is the letter's own when others can be written.
    """

    cause: str
    remedy: str = ""
    is_letters_own: bool = False


def letter(record: Record, dead: Dead, route: Route | None, *, version: str) -> Letter:
    """Write the letter of *record*; its bytes and its own headers are kept."""
    kept = [header for header in record.headers if not header[0].startswith(PREFIX)]
    said = {
        name: value for name, value in _fields(record, dead, route, version) if value is not None
    }
    added = [(PREFIX + name, value.encode()) for name, value in said.items()]
    return Letter(record.key, record.value, (*kept, *added))


def _fields(
    record: Record, dead: Dead, route: Route | None, version: str
) -> Iterator[tuple[str, str | None]]:
    yield "schema", SCHEMA
    yield "reason", dead.reason
    yield "message", dead.message
    yield "status", None if dead.status is None else str(dead.status)
    yield "errors", _errors(dead)
    yield "attempts", str(dead.tries.count)
    yield "first-attempt", _instant(dead.tries.first)
    yield "last-attempt", _instant(dead.tries.last)
    yield "topic", record.topic
    yield "partition", str(record.partition)
    yield "offset", str(record.offset)
    yield "last-offset", None if record.damage is None else str(record.damage.last)
    yield "timestamp", str(record.timestamp)
    yield "call-id", _unicode(dead.call_id)
    yield "workspace-id", route.workspace if route else None
    yield "agent-id", _unicode(route.agent if route else None)
    yield "version", version
    yield "replays", str(_replays(record))


def _errors(dead: Dead) -> str | None:
    if not dead.errors:
        return None
    return msgspec.json.encode(
        [{"loc": error.place, "type": error.rule} for error in dead.errors]
    ).decode()


def _instant(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return (
        datetime.fromtimestamp(seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _unicode(text: str | None) -> str | None:
    """Make *text* fit for a header: short, and without lone surrogates, which have no UTF-8."""
    return text and text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode()


def _replays(record: Record) -> int:
    """Read how often the record was replayed from the dead-letter topic."""
    for name, value in record.headers:
        if name == PREFIX + "replays" and value is not None and value.isdigit():
            return int(value[:9])
    return 0
