"""Which offset may be committed, and what travels with it."""

import sys

from builders import record
from core.tables import table

from ingestor.core.memo import Memo, Stretch
from ingestor.core.offsets import Claim, Ledger, Mark, Offsets
from ingestor.core.record import Damage, Partition

CALLS = Partition("calls", 0)


def seen(offsets: Offsets, offset: int, now: float = 0.0) -> Claim | None:
    """Read the record at *offset*, whose timestamp is that in tens."""
    return offsets.claim(record(topic="calls", offset=offset, timestamp=offset * 10), now)


def take(offsets: Offsets, offset: int, now: float = 0.0) -> Claim:
    """Read a record that is not finished yet."""
    claim = seen(offsets, offset, now)
    assert claim is not None
    return claim


def taken(
    *offset: int, start: int = 0, memo: Memo | None = None
) -> tuple[Offsets, dict[int, Claim]]:
    """Take over a partition at *start*, and the records at each *offset*."""
    offsets = Offsets()
    offsets.assign(CALLS, start, memo)
    return offsets, {each: take(offsets, each) for each in offset}


def mark(offsets: Offsets) -> int:
    return offsets.ledgers()[CALLS].mark


def stretches(offsets: Offsets) -> list[tuple[int, int, int]]:
    """List what the memo says now: begin, timestamp and end of each stretch."""
    memo = offsets.ledgers()[CALLS].memo()
    return [(it.begin, it.timestamp, it.end) for it in memo.stretches] if memo else []


@table(
    "read, settled, expected",
    {
        "nothing was read": ([], [], 5),
        "nothing is finished": ([5, 6, 7], [], 5),
        "the oldest is": ([5, 6, 7], [5], 6),
        "the newest is": ([5, 6, 7], [7], 5),
        "all but the oldest": ([5, 6, 7], [7, 6], 5),
        "all, in order": ([5, 6, 7], [5, 6, 7], 8),
        "all, out of order": ([5, 6, 7], [7, 5, 6], 8),
        "the first offsets are gone": ([9, 10], [], 9),
        "and their followers finished": ([9, 10], [9, 10], 11),
        "offsets between are gone": ([5, 20, 30], [5], 20),
        "and the last of them finished": ([5, 20, 30], [5, 20, 30], 31),
    },
)
def test_the_mark_is_the_oldest_unfinished_or_one_past_the_last(
    read: list[int], settled: list[int], expected: int
) -> None:
    """Derived from what was read: offsets may have gaps, and records finish in any order."""
    offsets, claims = taken(*read, start=5)

    assert all(claims[offset].settle() for offset in settled)

    assert mark(offsets) == expected


def test_only_marks_beyond_what_is_committed_are_listed() -> None:
    """A commit that says nothing new is not sent."""
    offsets, claims = taken(5, 6, start=5)
    assert offsets.marks() == []

    claims[5].settle()
    (first,) = offsets.marks()
    assert (first.partition, first.offset) == (CALLS, 6)

    offsets.commit([first])
    assert offsets.marks() == []


def test_a_commit_that_is_acknowledged_late_takes_nothing_back() -> None:
    """A newer one may have been acknowledged before."""
    offsets, claims = taken(5, 6, start=5)
    claims[5].settle()
    older = offsets.marks()
    claims[6].settle()

    offsets.commit(offsets.marks())
    offsets.commit(older)

    assert offsets.marks() == []


def test_what_the_broker_does_not_know_of_is_counted() -> None:
    """Wherever it was finished; with the assignment it is over, and comes again."""
    offsets, claims = taken(5, 6, 7, start=5)
    for offset in (5, 7):
        claims[offset].settle()
    assert offsets.untold() == 2

    offsets.commit(offsets.marks())
    assert offsets.untold() == 0
    claims[6].settle()
    assert offsets.untold() == 1
    offsets.void()
    assert offsets.untold() == 0


def test_a_record_is_taken_once() -> None:
    """What comes a second time within an assignment is in work, or finished."""
    offsets, claims = taken(5, 9, start=5)
    claims[5].settle()

    for offset in (4, 5, 7, 9):
        assert offsets.claim(record(topic="calls", offset=offset), 0.0) is None


def test_a_claim_settles_once() -> None:
    """A second settling changes nothing, and says so."""
    offsets, claims = taken(5)

    assert [claims[5].settle(), claims[5].settle()] == [True, False]
    assert claims[5].is_settled
    assert mark(offsets) == 6


def test_a_partition_that_is_not_ours_has_no_claims() -> None:
    """Its records are somebody else's."""
    offsets, _ = taken(5)

    assert offsets.claim(record(topic="calls", partition=1, offset=5), 0.0) is None
    assert offsets.claim(record(topic="other", offset=5), 0.0) is None


def test_a_void_claim_changes_nothing() -> None:
    """Its record belongs to whoever has the partition now, be it ourselves."""
    offsets, claims = taken(5)
    old = offsets.marks()
    offsets.assign(CALLS, 5)
    again = take(offsets, 5)

    assert (claims[5].is_void, claims[5].settle()) == (True, False)
    offsets.commit([*old, Mark(CALLS, 6, Ledger(0))])
    assert (again.is_void, again.is_settled, mark(offsets)) == (False, False, 5)


def test_when_assignments_end_nothing_is_ours() -> None:
    """Neither partitions nor marks, nor what is still in work."""
    offsets, claims = taken(5, 6)
    offsets.assign(Partition("calls", 1), 0)
    claims[5].settle()
    assert set(offsets.partitions) == {CALLS, Partition("calls", 1)}

    offsets.void()

    assert (list(offsets.partitions), offsets.marks()) == ([], [])
    assert claims[6].is_void
    assert not claims[6].settle()


def test_the_oldest_record_in_work_tells_how_long_it_is() -> None:
    """By when it was taken, whatever was taken and finished since."""
    offsets, _ = taken()
    oldest = [offsets.ledgers()[CALLS].oldest]
    first, second = take(offsets, 1, now=10.0), take(offsets, 2, now=20.0)

    for claim in (second, first):
        oldest.append(offsets.ledgers()[CALLS].oldest)
        claim.settle()

    assert [*oldest, offsets.ledgers()[CALLS].oldest] == [None, 10.0, 10.0, None]


# What is finished beyond the mark


@table(
    "read, settled, expected",
    {
        "nothing was read": ([], [], []),
        "nothing is finished": ([5, 6, 7], [], []),
        "only what is before the mark": ([5, 6, 7], [5, 6], []),
        "all of it": ([5, 6, 7], [7, 6, 5], []),
        "the last": ([5, 6, 7], [7], [(7, 70, 8)]),
        "one in the midst": ([5, 6, 7], [6], [(6, 60, 7)]),
        "all but the first, in order": ([5, 6, 7], [6, 7], [(6, 60, 8)]),
        "all but the first, backwards": ([5, 6, 7], [7, 6], [(6, 60, 8)]),
        "all but the first, from the midst": ([5, 6, 7, 8], [7, 6, 8], [(6, 60, 9)]),
        "every other one": ([5, 6, 7, 8, 9], [6, 8], [(6, 60, 7), (8, 80, 9)]),
        "two that become one": ([5, 6, 7, 8, 9], [6, 8, 7], [(6, 60, 9)]),
        "with gaps before": ([5, 20, 30], [20], [(20, 200, 30)]),
        "with gaps behind": ([5, 6, 20], [6], [(6, 60, 20)]),
        "and the first at last": ([5, 6, 7, 8], [6, 8, 5], [(8, 80, 9)]),
    },
)
def test_what_is_finished_beyond_the_mark_is_told(
    read: list[int], settled: list[int], expected: list[tuple[int, int, int]]
) -> None:
    """In stretches that begin with a finished record and end where an unfinished one stands."""
    offsets, claims = taken(*read, start=5)

    assert all(claims[offset].settle() for offset in settled)

    assert stretches(offsets) == expected


def test_a_record_without_a_timestamp_is_no_witness() -> None:
    """Any other without one might stand in its place; the next one vouches, if it has one."""
    offsets = Offsets()
    offsets.assign(CALLS, 0)
    claims = [
        offsets.claim(record(topic="calls", offset=offset, timestamp=timestamp), 0.0)
        for offset, timestamp in enumerate([0, -1, -1, 30, -1])
    ]

    told = []
    for claim in (claims[4], claims[3], claims[2], claims[1]):
        assert claim is not None
        claim.settle()
        told.append(stretches(offsets))

    assert told == [[], [(3, 30, 5)], [(3, 30, 5)], [(3, 30, 5)]]


def test_what_changes_beyond_a_mark_that_stays_is_listed() -> None:
    """Once: what the broker acknowledged it knows."""
    offsets, claims = taken(5, 6, 7, start=5)
    claims[6].settle()

    (first,) = offsets.marks()
    assert (first.offset, first.memo) == (5, Memo(5, (Stretch(6, 60, 7),)))
    assert offsets.marks() == [first], "it was not acknowledged"
    claims[7].settle()
    offsets.commit([first])
    (second,) = offsets.marks()
    assert second.memo == Memo(5, (Stretch(6, 60, 8),))
    offsets.commit([second])
    offsets.commit([first])
    assert offsets.marks() == []


def test_reading_alone_is_no_news() -> None:
    """What is in work is the same to a successor as what was never read."""
    offsets, _ = taken(5, 6, start=5)

    assert offsets.marks() == []


# What was finished in an earlier assignment

MEMO = Memo(5, (Stretch(7, 70, 10), Stretch(12, 120, 14)))


def test_what_was_finished_before_is_not_taken_again() -> None:
    """It is told on: the broker has to know it until the mark is beyond it."""
    offsets, claims = taken(5, 6, start=5, memo=MEMO)

    assert [seen(offsets, offset) for offset in (7, 8, 9)] == [None] * 3
    take(offsets, 10)
    assert offsets.marks() == [], "nothing of it is news"
    claims[5].settle()

    (moved,) = offsets.marks()
    assert (moved.offset, moved.memo) == (6, Memo(6, MEMO.stretches))


def test_what_is_still_to_be_read_is_told_on() -> None:
    """A kill in the midst of reading it must not make it come again."""
    offsets, claims = taken(5, 6, start=5, memo=MEMO)
    assert seen(offsets, 7) is None
    claims[6].settle()
    assert stretches(offsets) == [(6, 60, 10), (12, 120, 14)]

    claims[5].settle()

    assert (mark(offsets), stretches(offsets)) == (7, [(7, 70, 10), (12, 120, 14)])
    assert seen(offsets, 9) is None
    assert (mark(offsets), stretches(offsets)) == (10, [(12, 120, 14)])


def test_the_mark_waits_at_the_begin_of_what_is_being_recalled() -> None:
    """Further on there would be no witness for the rest of it."""
    offsets, _ = taken(start=5, memo=Memo(5, (Stretch(5, 50, 8),)))
    marks = [mark(offsets)]

    for offset in (5, 6, 7):
        assert seen(offsets, offset) is None
        marks.append(mark(offsets))

    assert marks == [5, 5, 5, 8]
    assert offsets.ledgers()[CALLS].oldest is None


def test_what_another_record_disproves_is_not_told_on() -> None:
    """The records in its place are taken like any others."""
    offsets, _ = taken(5, start=5, memo=Memo(5, (Stretch(7, 71, 10), Stretch(12, 120, 14))))

    take(offsets, 7)
    take(offsets, 8)

    assert stretches(offsets) == [(12, 120, 14)]


# What it costs


def test_finished_records_behind_an_unfinished_one_take_no_room() -> None:
    """One record may keep the mark where it is for hours."""
    offsets, claims = taken(*range(20_000))
    before = sys.getallocatedblocks()

    for offset in range(1, 20_000):
        claims.pop(offset).settle()

    assert sys.getallocatedblocks() < before - 19_000
    assert stretches(offsets) == [(1, 10, 20_000)]


def test_a_range_that_cannot_be_read_is_claimed_as_a_whole() -> None:
    """Nothing of it is finished before its letter is, and then all of it is."""
    offsets, claims = taken(4, 12)
    unreadable = record(topic="calls", offset=13, damage=Damage(20, "a cause"))

    claim = offsets.claim(unreadable, 0.0)
    assert offsets.claim(unreadable, 0.0) is None
    assert offsets.claim(record(topic="calls", offset=20), 0.0) is None

    assert claim is not None
    for each in claims.values():
        each.settle()
    assert mark(offsets) == 13
    claim.settle()
    assert mark(offsets) == 21
    assert take(offsets, 21).settle()
