"""Finds one batch of message format 2 in the bytes that a broker sent, and tells whether they are
as they were written.

The format: https://kafka.apache.org/documentation/#recordbatch
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingestor.core.batches.inflating import Inflater, InflationError
from ingestor.core.batches.records import Entry, Frame, Hole, read_records

MAGIC = 2
# Base offset and length, which the length does not count.
LENGTH_AT, OVERHEAD = 8, 12
MAGIC_AT = 16
_HEADER = struct.Struct(">qiiBIhiqqqhii")
# The checksum covers what follows it; the offset and the length before it are the broker's own.
CHECKED_FROM = 21
_CODEC, _STAMPED, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
# The key of a control record: two bytes of a version, and two that say what it marks.
_COMMIT = b"\0\1"

Checksum = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Batch:
    """The offsets *base* to *last*, as written in *raw*; *is_sound* when the checksum is right."""

    base: int
    last: int
    is_sound: bool
    attributes: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    count: int
    raw: bytes

    @property
    def is_transactional(self) -> bool:
        """Whether it is part of a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        """Whether it holds a marker of the broker's, and no records."""
        return bool(self.attributes & _CONTROL)

    def ends_transaction(self) -> bool:
        """Whether it is a marker, and not that of a commit: what follows is a new transaction."""
        marker = next(read_records(self.raw[_HEADER.size :], self._frame()), None)
        key = marker.key if isinstance(marker, Entry) else None
        is_commit = key is not None and key[2:4] == _COMMIT
        return self.is_control and not is_commit

    def read(self, inflater: Inflater) -> Iterator[Entry | Hole]:
        """Read the records lazily; one that cannot be read is a hole, or the whole batch is."""
        try:
            payload = inflater.inflate(self.attributes & _CODEC, self.raw[_HEADER.size :])
        except InflationError as error:
            yield Hole(self.base, self.last, self.raw, str(error))
            return
        for read in read_records(payload, self._frame()):
            # What is left of a batch that inflates to much more is kept as it was sent.
            if isinstance(read, Hole) and len(read.raw) > len(self.raw):
                yield read._replace(raw=self.raw)
            else:
                yield read

    def _frame(self) -> Frame:
        stamped = self.max_timestamp if self.attributes & _STAMPED else None
        return Frame(self.base, self.last, self.count, self.first_timestamp, stamped)


def batch_at(raw: bytes, position: int, checksum: Checksum) -> Batch | None:
    """Find the batch at *position*; None when there is none of this format that is whole."""
    if len(raw) - position < _HEADER.size:
        return None
    base, length, _, magic, crc, attributes, delta, first, latest, producer, _, _, count = (
        _HEADER.unpack_from(raw, position)
    )
    end = position + OVERHEAD + length
    # The magic byte is not under the checksum: what is sound as this format is of this format.
    if magic < MAGIC or not position + _HEADER.size <= end <= len(raw):
        return None
    is_sound = base >= 0 and delta >= 0 and checksum(raw[position + CHECKED_FROM : end]) == crc
    return Batch(
        base,
        base + delta,
        is_sound,
        attributes,
        first,
        latest,
        producer,
        count,
        raw[position:end],
    )
