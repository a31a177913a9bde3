"""Reads the records of one batch of message format 2, and steps over those that cannot be read.

Each record says how long it is, so that one that is broken hides no other, unless it is that length
that is broken: then the rest of the batch is lost. Offsets rise within a batch; what lies between
two records that can be read belongs to those that cannot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ingestor.core.batches.varints import BrokenError, varint
from ingestor.core.record import Header

# A length, and then at least one byte for each of: attributes, timestamp, offset, the lengths of
# key and value, the number of headers.
LEAST_LENGTH = 6
# Nobody writes as many headers, and nobody breaks so many records in a row: whoever reads on would
# block the others.
MOST_HEADERS = 100_000
MOST_BROKEN = 10_000
_LONGEST_TIME = 2**63


class Entry(NamedTuple):
    """A record as its batch holds it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


class Hole(NamedTuple):
    """The offsets *first* to *last*, of which only the bytes could be read, and why."""

    first: int
    last: int
    raw: bytes
    cause: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What a batch says of all its records: the offsets *base* to *last*, their *count*, the time
    to which each adds its own, or, when the broker stamped them, the time of all (*stamped*).
    """

    base: int
    last: int
    count: int
    first_timestamp: int
    stamped: int | None = None


def read_records(payload: bytes, frame: Frame) -> Iterator[Entry | Hole]:
    """Read *payload*, the inflated records of a batch, lazily and in the order of their offsets."""
    position, expected, found, broken = 0, frame.base, 0, 0
    begin, cause = 0, ""  # of a hole, while there is a cause
    while position < len(payload) and broken < MOST_BROKEN:
        try:
            body, end = _bounds(payload, position)
        except BrokenError as error:
            cause, begin = cause or str(error), begin if cause else position
            break
        try:
            entry = _entry(payload, body, end, frame)
            # A hole has at least one offset of its own.
            if not expected + bool(cause) <= entry.offset <= frame.last:
                raise BrokenError("an offset out of order")  # noqa: TRY301 - one road for all that is broken
        except BrokenError as error:
            cause, begin = cause or str(error), begin if cause else position
            broken += 1
        else:
            if cause:
                yield Hole(expected, entry.offset - 1, payload[begin:position], cause)
                cause, broken = "", 0
            yield entry
            expected, found = entry.offset + 1, found + 1
        position = end
    if not cause and found < frame.count:
        cause, begin = "fewer records than the batch says", len(payload)
    if cause and expected <= frame.last:
        yield Hole(expected, frame.last, payload[begin:], cause)


def _bounds(payload: bytes, position: int) -> tuple[int, int]:
    """Read where the record at *position* begins and ends."""
    length, body = varint(payload, position, len(payload))
    if not LEAST_LENGTH <= length <= len(payload) - body:
        raise BrokenError("a record whose length is impossible")
    return body, body + length


def _entry(payload: bytes, position: int, end: int, frame: Frame) -> Entry:
    delta, position = varint(payload, position + 1, end)  # behind the attributes, which are unused
    timestamp = frame.first_timestamp + delta if frame.stamped is None else frame.stamped
    if not -_LONGEST_TIME <= timestamp < _LONGEST_TIME:
        raise BrokenError("a timestamp that is none")
    delta, position = varint(payload, position, end)
    key, position = _bytes(payload, position, end)
    value, position = _bytes(payload, position, end)
    headers, position = _headers(payload, position, end)
    if position != end:
        raise BrokenError("a record that does not fill its length")
    return Entry(frame.base + delta, timestamp, key, value, headers)


def _headers(payload: bytes, position: int, end: int) -> tuple[tuple[Header, ...], int]:
    count, position = varint(payload, position, end)
    if not 0 <= count <= MOST_HEADERS:
        raise BrokenError("an impossible number of headers")
    headers = []
    for _ in range(count):
        name, position = _bytes(payload, position, end)
        if name is None:
            raise BrokenError("a header without a name")
        value, position = _bytes(payload, position, end)
        # A name that is no UTF-8 must not cost the record: it stays legible, and distinct.
        headers.append((name.decode("utf-8", "backslashreplace"), value))
    return tuple(headers), position


def _bytes(payload: bytes, position: int, end: int) -> tuple[bytes | None, int]:
    """Read bytes behind their length; a negative length says that there are none."""
    length, position = varint(payload, position, end)
    if length < 0:
        return None, position
    if length > end - position:
        raise BrokenError("a length beyond the end of the record")
    return payload[position : position + length], position + length
