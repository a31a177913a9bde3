"""Records that an earlier assignment finished are known again, and no others."""

from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.memo import Memo, Stretch
from ingestor.core.recollection import Recollection

# Finished: 12, 13, 14, and 20.
MEMO = Memo(10, (Stretch(12, 1_200, 15), Stretch(20, 2_000, 21)))


def known(*records: tuple[int, int], memo: Memo | None = MEMO) -> list[int]:
    """Read records by offset and timestamp; return the offsets of those that were finished."""
    recollection = Recollection(memo)
    return [at for at, timestamp in records if recollection.is_finished(at, timestamp, at + 1)]


@table(
    "offsets, expected",
    {
        "all there": ([*range(10, 23)], [12, 13, 14, 20]),
        "gaps before the witness": ([11, 12, 13, 14], [12, 13, 14]),
        "gaps within": ([10, 12, 14, 15], [12, 14]),
        "a gap over the end": ([12, 13, 16, 20], [12, 13, 20]),
        "the first witness is gone": ([10, 13, 14, 15, 20, 21], [20]),
        "a stretch is gone": ([10, 15, 20, 21], [20]),
        "everything is gone": ([10, 30], []),
        "reading begins within": ([13, 14, 20], [20]),
    },
)
def test_a_stretch_is_known_from_its_witness_on(offsets: list[int], expected: list[int]) -> None:
    """Compaction and transactions leave gaps; without its witness a stretch means nothing."""
    assert known(*[(offset, offset * 100) for offset in offsets]) == expected


def test_a_witness_with_another_timestamp_voids_its_stretch() -> None:
    """It is another record: the topic was made anew."""
    records = [(12, 1_201), (13, 1_300), (14, 1_400), (20, 2_000)]

    assert known(*records) == [20]


def test_each_stretch_needs_its_own_witness() -> None:
    """Also behind one that was believed and whose last records are gone."""
    assert known((12, 1_200), (13, 1_300), (16, 1_600), (20, 2_001)) == [12, 13]


def test_without_a_memo_nothing_is_known() -> None:
    """From the mark on, then."""
    assert known((0, 0), (12, 1_200), memo=None) == []


def test_adjacent_stretches_have_a_witness_each() -> None:
    """One of them may be of the assignment before the last, whose witness nobody has met since."""
    memo = Memo(0, (Stretch(0, 7, 2), Stretch(2, 8, 4), Stretch(4, 9, 6)))

    assert known((0, 7), (1, 0), (2, 0), (3, 0), (4, 9), (5, 0), memo=memo) == [0, 1, 4, 5]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=5), st.data())
def test_of_another_log_nothing_is_known(parts: list[tuple[int, int]], data: st.DataObject) -> None:
    """Whatever offsets it has: no record of it was ever posted."""
    stretches, end = [], 0
    for gap, length in parts:
        stretches.append(Stretch(end + gap, 1_000 + end, end + gap + length))
        end += gap + length
    offsets = data.draw(st.sets(st.integers(0, 50)).map(sorted))

    assert known(*[(offset, 5_000) for offset in offsets], memo=Memo(0, tuple(stretches))) == []


def test_the_current_stretch_is_the_one_whose_end_is_to_come() -> None:
    """And what was not reached is still to come: the next commit has to tell of both."""
    recollection = Recollection(MEMO)
    first, second = MEMO.stretches
    seen = [(recollection.current, [*recollection.to_come()])]
    for offset in (11, 12, 14, 20):
        recollection.is_finished(offset, offset * 100, offset + 1)
        seen.append((recollection.current, [*recollection.to_come()]))

    assert seen == [
        (None, [first, second]),
        (None, [first, second]),
        (first, [second]),
        (None, [second]),
        (None, []),
    ]


@table(
    "read, ranges, expected",
    {
        "within a stretch": ([12], [(13, 15)], [13]),
        "up to its end and beyond": ([12], [(13, 16)], []),
        "from before it on": ([10], [(11, 15)], []),
        "over all of them": ([10], [(11, 30)], []),
        "over the first, and into the second": ([10], [(11, 21), (21, 22)], []),
        "before the second": ([12, 13], [(14, 20), (20, 21)], [20]),
    },
)
def test_a_range_that_cannot_be_read_is_known_only_as_a_whole(
    read: list[int], ranges: list[tuple[int, int]], expected: list[int]
) -> None:
    """One record of it may be the one that was never finished; and a witness it is not."""
    recollection = Recollection(MEMO)
    for offset in read:
        recollection.is_finished(offset, offset * 100, offset + 1)

    found = []
    for begin, end in ranges:
        timestamp = begin * 100 if end == begin + 1 else -1
        if recollection.is_finished(begin, timestamp, end):
            found.append(begin)
        assert all(stretch.begin >= end for stretch in recollection.to_come())

    assert found == expected
