"""Decides what the bytes that a broker sent for one partition hold: a passage of sound batches, or
at their very begin what cannot be trusted.

A batch whose checksum is wrong is not read although its records might be: a call that was altered
would be posted as if it were true. It is kept whole. How far it goes is seen from where the next
sound batch begins, never from what it says itself.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from ingestor.core.batches.batch import (
    LENGTH_AT,
    MAGIC,
    MAGIC_AT,
    OVERHEAD,
    Batch,
    Checksum,
    batch_at,
)
from ingestor.core.batches.inflating import Inflater
from ingestor.core.batches.legacy import Message, message_at
from ingestor.core.batches.records import Hole
from ingestor.core.record import Damage, Partition, Record

# Bytes can be made to look like the begin of a batch at every place.
_MOST_CANDIDATES = 100
_LENGTH = struct.Struct(">i")
_OFFSET = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a broker sent of *partition* when asked for *start*: *raw* bytes before offset *end*,
    and, as pairs of producer and first offset, the *aborted* transactions among them.
    """

    partition: Partition
    start: int
    end: int
    raw: bytes
    aborted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """Bytes that cannot be trusted, and the offset behind them, None when they do not show it."""

    raw: bytes
    next: int | None


class Passage:
    """Sound batches in a row; *next* is the offset behind them."""

    def __init__(self, fetched: Fetched, batches: list[Batch | Message]) -> None:
        self._fetched = fetched
        self._batches = batches
        self.next = max((fetched.start, *(batch.last + 1 for batch in batches)))

    def read(self, inflater: Inflater) -> Iterator[Record]:
        """Read the records lazily, without those of aborted transactions; what cannot be read is a
        record with damage.
        """
        expected = self._fetched.start
        for batch in self._committed():
            for read in batch.read(inflater):
                record = self._record(read, expected)
                if record is not None:
                    yield record
                    expected = record.next

    def _record(self, read: Record | Hole | tuple[object, ...], expected: int) -> Record | None:
        where = self._fetched.partition
        if isinstance(read, Hole):
            if read.last < expected:
                return None
            return lost(where, max(expected, read.first), read.last, read.raw, read.cause)
        record = Record(where, *read)  # type: ignore[misc]  # an entry, field by field
        return record if record.offset >= expected else None

    def _committed(self) -> Iterator[Batch | Message]:
        """Leave out what a transaction wrote that was aborted, and the markers."""
        upcoming = sorted(self._fetched.aborted, key=lambda pair: pair[1])
        aborted: set[int] = set()
        for batch in self._batches:
            if isinstance(batch, Message):
                yield batch
                continue
            while upcoming and upcoming[0][1] <= batch.base:
                aborted.add(upcoming.pop(0)[0])
            if batch.ends_transaction():
                aborted.discard(batch.producer_id)
            elif not batch.is_control and not (
                batch.is_transactional and batch.producer_id in aborted
            ):
                yield batch


def survey(fetched: Fetched, checksum: Checksum) -> Passage | Lost:
    """Look at what was *fetched*: the sound batches up to the first that is not, or that one."""
    batches: list[Batch | Message] = []
    position, expected = 0, fetched.start
    while position < len(fetched.raw):
        found = _sound_at(fetched, position, checksum)
        if found is None or _is_misplaced(fetched, found, position, expected, checksum):
            if position == 0:
                return _lost(fetched, checksum)
            break  # it may only be cut off: it is looked at when it comes first
        batches.append(found)
        position, expected = position + len(found.raw), found.last + 1
    return Passage(fetched, batches)


def lost(where: Partition, first: int, last: int, raw: bytes, cause: str) -> Record:
    """Make the record that stands for offsets *first* to *last*, of which there is only *raw*."""
    return Record(where, first, -1, None, raw, (), Damage(last, cause))


def first_at(raw: bytes, checksum: Checksum) -> tuple[int, bool] | None:
    """Read at which offset the first batch of *raw* begins, and whether it is sound; None when
    there is none that is whole.
    """
    if batch := batch_at(raw, 0, checksum):
        return batch.base, batch.is_sound
    if message := message_at(raw, 0):
        return message.last, message.is_sound
    return None


def _sound_at(fetched: Fetched, position: int, checksum: Checksum) -> Batch | Message | None:
    found = batch_at(fetched.raw, position, checksum) or message_at(fetched.raw, position)
    return found if found and found.is_sound and found.last < fetched.end else None


def _is_misplaced(
    fetched: Fetched, found: Batch | Message, position: int, expected: int, checksum: Checksum
) -> bool:
    """Whether *found* says that it is further on than it can be: the offset of a batch is not under
    its checksum. Offsets before it are missing, and the next batch has some of its own.
    """
    if not isinstance(found, Batch) or found.base <= expected:
        return False
    after = batch_at(fetched.raw, position + len(found.raw), checksum)
    return after is not None and after.is_sound and after.base <= found.last


def _lost(fetched: Fetched, checksum: Checksum) -> Passage | Lost:
    raw, declared = fetched.raw, len(fetched.raw)
    if len(raw) >= OVERHEAD:
        declared = OVERHEAD + _LENGTH.unpack_from(raw, LENGTH_AT)[0]
    for position in _boundaries(fetched, declared):
        batch = batch_at(raw, position, checksum)
        if batch is None or not batch.is_sound or batch.last >= fetched.end:
            continue
        if batch.base <= fetched.start <= batch.last:
            # The broker itself was misled by the offset of the batch before: it was read already.
            return survey(replace(fetched, raw=raw[position:]), checksum)
        if fetched.start < batch.base:
            return Lost(raw[:position], batch.base)
    return Lost(raw[:declared] if declared > OVERHEAD else raw, None)


def _boundaries(fetched: Fetched, declared: int) -> Iterator[int]:
    """Name the places where the next batch may begin: where the lost one says that it ends, and
    wherever an offset, a length and the magic byte look right.
    """
    if declared > OVERHEAD:
        yield declared
    lowest, highest = _OFFSET.pack(fetched.start + 1), _OFFSET.pack(fetched.end)
    same = next((n for n in range(_OFFSET.size) if lowest[n] != highest[n]), _OFFSET.size)
    begin = re.escape(lowest[:same]) + b".{%d}" % (_OFFSET.size - same)
    between = MAGIC_AT - LENGTH_AT - 1
    pattern = re.compile(b"(?=%b\\0.{%d}\\x%02x)" % (begin, between, MAGIC), re.DOTALL)
    for match in islice(pattern.finditer(fetched.raw, 1), _MOST_CANDIDATES):
        yield match.start()
