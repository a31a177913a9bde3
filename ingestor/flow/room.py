"""The waiting room: how many records, and bytes of them, may be in work at a time, and which
partitions may bring more.

A partition may hold as much as is left free (the dynamic threshold of Choudhury and Hahne, 1998).
So one of which the records do not leave (a slow call_id, a held destination) has half of the room
at most, two of them two thirds, and however many they are, something is left for the others. A
partition that is alone has all of it.

How many records are asked for at a time depends on what they take: as many of the largest lately
seen as fill half of what is free, and never more than twice as many as the last time. So a backlog
of large records does not come in by the hundred before one of them was seen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from ingestor.core.record import Partition

# What a record takes beside its bytes: itself, claim, call, a place in a lane, and a task while it
# is carried. Measured: 3.6 KB; 0.7 KB while it waits. All are counted as if they were carried.
OVERHEAD_BYTES: Final = 4_096
# A partition that had its part may bring more when it is down to this part of it: records are taken
# in by the batch, and enough of them are still there to keep every slot busy meanwhile.
REOPENS_AT = 0.75
MOST_AT_ONCE = 500
# How fast the largest record is forgotten, from one batch to the next.
FORGETTING = 0.95


@dataclass(frozen=True, slots=True)
class Bounds:
    """The size of the room, in *records* and in *bytes*."""

    records: int
    bytes: int


class _Part:
    """What one partition has in the room."""

    __slots__ = ("bytes", "is_open", "records")

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        self.is_open = True


class Room:
    """Counts what was taken in and is not finished, by partition."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._parts: dict[Partition, _Part] = {}
        self._largest = float(OVERHEAD_BYTES)
        self._batch = 1
        self._entered = False
        self.records = 0
        self.bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may come in."""
        return self.records >= self._bounds.records or self.bytes >= self._bounds.bytes

    def enter(self, partition: Partition, size: int) -> None:
        """Take in a record of *size* bytes of memory; the last one may be more than fits."""
        part = self._parts.get(partition)
        if part is None:
            part = self._parts[partition] = _Part()
        part.records += 1
        part.bytes += size
        self.records += 1
        self.bytes += size
        self._largest = max(self._largest, size)
        self._entered = True

    def leave(self, partition: Partition, size: int) -> None:
        """Let go of a record of *size* bytes."""
        part = self._parts[partition]
        part.records -= 1
        part.bytes -= size
        self.records -= 1
        self.bytes -= size

    def empty(self) -> None:
        """Let go of everything."""
        self._parts.clear()
        self.records = self.bytes = 0

    def open_to(self, partitions: Collection[Partition]) -> Collection[Partition]:
        """List those of our *partitions* that may bring more."""
        if self.is_full:
            for partition in partitions:
                if partition in self._parts:
                    self._parts[partition].is_open = False
            return ()
        is_alone = len(partitions) == 1
        return [it for it in partitions if self._is_open(it, is_alone=is_alone)]

    def batch(self) -> int:
        """Compute how many records to ask for."""
        if self._entered:
            self._batch = min(MOST_AT_ONCE, self._batch * 2)
            self._entered = False
        free = max(0, self._bounds.bytes - self.bytes)
        most = min(int(free / 2 / self._largest), self._bounds.records - self.records)
        self._largest = max(float(OVERHEAD_BYTES), self._largest * FORGETTING)
        self._batch = max(1, min(self._batch, most))
        return self._batch

    def _is_open(self, partition: Partition, *, is_alone: bool) -> bool:
        part = self._parts.get(partition)
        if part is None:
            return True
        records, size = self._bounds.records, self._bounds.bytes
        if not is_alone:
            records, size = records - self.records, size - self.bytes
        if part.is_open:
            part.is_open = part.records < records and part.bytes < size
        else:
            records_then, size_then = records * REOPENS_AT, size * REOPENS_AT
            part.is_open = part.records <= records_then and part.bytes <= size_then
        return part.is_open
