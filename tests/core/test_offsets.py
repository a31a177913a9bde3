"""Which offset may be committed."""

from builders import record
from core.tables import table

from ingestor.core.offsets import Claim, Ledger, Mark, Offsets
from ingestor.core.record import Partition

CALLS = Partition("calls", 0)


def take(offsets: Offsets, offset: int, now: float = 0.0) -> Claim:
    claim = offsets.claim(record(topic="calls", offset=offset), now)
    assert claim is not None
    return claim


def taken(*offset: int, start: int = 0) -> tuple[Offsets, dict[int, Claim]]:
    """Take over a partition at *start*, and the records at each *offset*."""
    offsets = Offsets()
    offsets.assign(CALLS, start)
    return offsets, {each: take(offsets, each) for each in offset}


def mark(offsets: Offsets) -> int:
    return offsets.ledgers()[CALLS].mark


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
