"""Decides which offset may be committed: the oldest unfinished record's, or one past the last that
was read; and what of the records beyond it is finished.

Records finish in any order. Each partition keeps its unfinished claims, linked in the order in
which they were read; the first of them is the mark. The mark is derived only from what was read
(compaction and transactions leave gaps between offsets), never from the highest finished offset. Of
what is finished beyond the mark only the first record behind each unfinished one is kept: with it
the memo can be written at any time, and memory does not grow while one record keeps the mark where
it is. Every claim knows its ledger: when the partition is taken from us the ledger is void, and
whatever its claims still do changes nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ingestor.core.memo import Memo, Stretch
from ingestor.core.recollection import Recollection
from ingestor.core.record import Partition, Record

Witness = tuple[int, int]
"""The offset and the timestamp of a finished record."""


class Claim:
    """A record in work: its *offset* and its *timestamp*, since when, and what it takes of the room
    (*size*, in bytes, as long as somebody counts it).

    Between it and the unfinished one *after* it there may be finished ones: *witness* is the first.
    """

    __slots__ = (
        "_ledger",
        "after",
        "before",
        "is_settled",
        "offset",
        "since",
        "size",
        "timestamp",
        "witness",
    )

    def __init__(self, offset: int, timestamp: int, since: float, ledger: "Ledger") -> None:
        self.offset = offset
        self.timestamp = timestamp
        self.since = since
        self.size = 0
        self.is_settled = False
        self.before: Claim | None = None
        self.after: Claim | None = None
        self.witness: Witness | None = None
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
        self._ledger.drop(self)
        return True


class Ledger:
    """The claims on one partition during one assignment, from *start*, the committed offset, with
    the *memo* that was committed with it.

    *changes* counts the settlements, *told* how many of them the broker knows of.
    """

    __slots__ = (
        "_first",
        "_last",
        "_recollection",
        "changes",
        "committed",
        "is_void",
        "told",
        "upcoming",
    )

    def __init__(self, start: int, memo: Memo | None = None) -> None:
        self.committed = start
        self.upcoming = start
        self.changes = self.told = 0
        self.is_void = False
        self._first: Claim | None = None
        self._last: Claim | None = None
        self._recollection = Recollection(memo)

    @property
    def mark(self) -> int:
        """The offset that may be committed.

        Within a stretch that an earlier assignment finished it stays at the begin, where the
        witness is: only there the rest of the stretch can be believed again.
        """
        if self._first:
            return self._first.offset
        current = self._recollection.current
        return current.begin if current else self.upcoming

    @property
    def oldest(self) -> float | None:
        """When the oldest unfinished record was taken into work, None when all are finished."""
        return self._first.since if self._first else None

    def claim(self, offset: int, timestamp: int, after: int, now: float) -> Claim | None:
        """Take a record into work *now*; None when an earlier assignment finished it. *offset* is
        above the last one's, *after* the first offset behind it.
        """
        is_finished = self._recollection.is_finished(offset, timestamp, after)
        self.upcoming = after
        last = self._last
        if is_finished:
            if last and last.witness is None:
                last.witness = offset, timestamp
            return None
        self._last = claim = Claim(offset, timestamp, now, self)
        claim.before = last
        if last:
            last.after = claim
        else:
            self._first = claim
        return claim

    def drop(self, claim: Claim) -> None:
        """Unlink a finished claim; it may be the first finished one behind the one before it."""
        before, after = claim.before, claim.after
        if before:
            before.after = after
            before.witness = before.witness or _witness(claim)
        else:
            self._first = after
        if after:
            after.before = before
        else:
            self._last = before
        claim.before = claim.after = claim.witness = None
        self.changes += 1

    def memo(self) -> Memo | None:
        """Say what is finished beyond the mark, in this assignment or before; None when nothing
        is.
        """
        stretches = self._stretches()
        stretches.extend(self._recollection.to_come())
        return Memo(self.mark, tuple(stretches)) if stretches else None

    def _stretches(self) -> list[Stretch]:
        current = self._recollection.current
        stretches = [current] if current and not self._first else []
        claim = self._first
        while claim:
            after = claim.after
            if claim.witness:
                begin, timestamp = claim.witness
                end = after.offset if after else current.end if current else self.upcoming
                stretches.append(Stretch(begin, timestamp, end))
            claim = after
        return stretches


def _witness(claim: Claim) -> Witness | None:
    """Give the first record from *claim* on, up to the next unfinished one, that can be a witness:
    one without a timestamp (-1) cannot, since another might stand in its place.
    """
    return claim.witness if claim.timestamp < 0 else (claim.offset, claim.timestamp)


@dataclass(frozen=True, slots=True)
class Mark:
    """An *offset* that may be committed: everything before it is finished, and beyond it what
    *memo* says. *changes* is how many settlements that takes into account.
    """

    partition: Partition
    offset: int
    ledger: Ledger = field(repr=False, compare=False)
    memo: Memo | None = None
    changes: int = 0


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

    def assign(self, partition: Partition, start: int, memo: Memo | None = None) -> None:
        """Begin an assignment of *partition* at its committed offset, with the *memo* that was
        committed with it; an earlier assignment is void.
        """
        self._void(partition)
        self._ledgers[partition] = Ledger(start, memo)

    def void(self) -> None:
        """End every assignment."""
        for partition in tuple(self._ledgers):
            self._void(partition)

    def claim(self, record: Record, now: float) -> Claim | None:
        """Take *record* into work; None when there is nothing to do for it: its partition is not
        ours, it was taken before, or an earlier assignment finished it.
        """
        ledger = self._ledgers.get(record.origin)
        if ledger is None or record.offset < ledger.upcoming:
            return None
        return ledger.claim(record.offset, record.timestamp, record.next, now)

    def marks(self) -> list[Mark]:
        """List the marks of which the broker does not know yet, or not all that is finished beyond
        them.
        """
        return [
            Mark(partition, ledger.mark, ledger, ledger.memo(), ledger.changes)
            for partition, ledger in self._ledgers.items()
            if ledger.mark > ledger.committed or ledger.changes > ledger.told
        ]

    def commit(self, marks: list[Mark]) -> None:
        """Note that the broker acknowledged *marks*."""
        for mark in marks:
            ledger = mark.ledger
            ledger.committed = max(ledger.committed, mark.offset)
            ledger.told = max(ledger.told, mark.changes)

    def untold(self) -> int:
        """Count the settlements of which the broker does not know."""
        return sum(ledger.changes - ledger.told for ledger in self._ledgers.values())

    def _void(self, partition: Partition) -> None:
        if ledger := self._ledgers.pop(partition, None):
            ledger.is_void = True
