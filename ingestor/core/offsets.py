"""Decides which offset may be committed: the oldest unfinished record's, or one past the last that
was read.

Records finish in any order. Each partition keeps its claims in the order in which they were read
and drops the finished ones from the front; the one left in front is the mark. The mark is derived
only from what was read (compaction and transactions leave gaps between offsets), never from the
highest finished offset. Every claim knows its ledger: when the partition is taken from us the
ledger is void, and whatever its claims still do changes nothing.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ingestor.core.record import Partition, Record


class Claim:
    """A record in work."""

    __slots__ = ("_ledger", "is_settled", "offset", "since")

    def __init__(self, offset: int, since: float, ledger: "Ledger") -> None:
        self.offset = offset
        self.since = since
        self.is_settled = False
        self._ledger = ledger

    @property
    def is_void(self) -> bool:
        """Whether its assignment is over."""
        return self._ledger.is_void

    def settle(self) -> bool:
        """Mark the record finished; False, and nothing changes, for a claim that is void or
        settled.
        """
        if self.is_settled or self._ledger.is_void:
            return False
        self.is_settled = True
        self._ledger.advance()
        return True


class Ledger:
    """The claims on one partition during one assignment, from *start*, the committed offset."""

    __slots__ = ("_claims", "committed", "is_void", "upcoming")

    def __init__(self, start: int) -> None:
        self.committed = start
        self.upcoming = start
        self.is_void = False
        self._claims: deque[Claim] = deque()

    @property
    def mark(self) -> int:
        """The offset that may be committed."""
        return self._claims[0].offset if self._claims else self.upcoming

    @property
    def oldest(self) -> float | None:
        """When the oldest unfinished record was taken into work, None when all are finished."""
        return self._claims[0].since if self._claims else None

    def claim(self, offset: int, now: float) -> Claim:
        """Take a record into work *now*; *offset* is above the last one's."""
        claim = Claim(offset, now, self)
        self._claims.append(claim)
        self.upcoming = offset + 1
        return claim

    def advance(self) -> None:
        """Drop the finished claims from the front."""
        claims = self._claims
        while claims and claims[0].is_settled:
            claims.popleft()


@dataclass(frozen=True, slots=True)
class Mark:
    """An *offset* that may be committed: everything before it is finished."""

    partition: Partition
    offset: int
    ledger: Ledger = field(repr=False, compare=False)


class Offsets:
    """The ledgers of the partitions that are ours."""

    def __init__(self) -> None:
        self._ledgers: dict[Partition, Ledger] = {}

    @property
    def partitions(self) -> Collection[Partition]:
        """The partitions that are ours."""
        return self._ledgers.keys()

    def ledgers(self) -> Mapping[Partition, Ledger]:
        """The partitions that are ours, and how each stands."""
        return self._ledgers

    def assign(self, partition: Partition, start: int) -> None:
        """Begin an assignment of *partition* at its committed offset; an earlier one is void."""
        self._void(partition)
        self._ledgers[partition] = Ledger(start)

    def void(self) -> None:
        """End every assignment."""
        for partition in tuple(self._ledgers):
            self._void(partition)

    def claim(self, record: Record, now: float) -> Claim | None:
        """Take *record* into work; None when its partition is not ours, or it was taken before."""
        ledger = self._ledgers.get(record.origin)
        if ledger is None or record.offset < ledger.upcoming:
            return None
        return ledger.claim(record.offset, now)

    def marks(self) -> list[Mark]:
        """List the marks that are beyond what is committed."""
        return [
            Mark(partition, ledger.mark, ledger)
            for partition, ledger in self._ledgers.items()
            if ledger.mark > ledger.committed
        ]

    def commit(self, marks: list[Mark]) -> None:
        """Note that the broker acknowledged *marks*."""
        for mark in marks:
            mark.ledger.committed = max(mark.ledger.committed, mark.offset)

    def _void(self, partition: Partition) -> None:
        if ledger := self._ledgers.pop(partition, None):
            ledger.is_void = True
