"""The end of a batch that cannot be trusted is found by asking for offsets further on."""

import pytest
from aiokafka.record.util import calc_crc32c
from core.batches.writing import CHECKSUM_AT, message, numbered, spoilt
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.batches.search import Search

ENOUGH = 64
NEXT = numbered(1_000_000, 2)


def broken(base: int, count: int) -> bytes:
    """Write a batch whose checksum is wrong."""
    return spoilt(numbered(base, count), CHECKSUM_AT, bytes((base % 256, 0, 0, 1)))


def search(log: list[tuple[int, int, bytes]], start: int, end: int) -> tuple[int, int]:
    """Search the end of the batch that holds *start*, in a *log* of first offset, last offset and
    bytes; count the questions.
    """

    def answer(offset: int) -> bytes:
        return next((raw for _, last, raw in log if offset <= last), b"")

    found, asked = Search(answer(start), start, end), 0
    while (probe := found.probe) is not None and asked < ENOUGH:
        asked += 1
        assert start < probe < end
        found.saw(probe, answer(probe), calc_crc32c)
    return found.next, asked


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5), st.booleans()), min_size=1),
    st.integers(0, 59),
)
def test_the_next_batch_is_found_be_it_good_or_bad(
    lengths: list[tuple[int, int, bool]], into: int
) -> None:
    """However long it and the others are, with gaps between them."""
    log, base = [], 100
    for number, (length, gap, is_sound) in enumerate(lengths):
        write = numbered if is_sound and number else broken
        log.append((base, base + length - 1, write(base, length)))
        base += length + gap
    start = 100 + min(into, lengths[0][0] - 1)

    found, asked = search(log, start, base)

    is_sound = len(log) > 1 and lengths[1][2]
    assert found == (log[1][0] if is_sound else log[0][1] + 1)
    assert asked < ENOUGH


@pytest.mark.parametrize("other", [b"", b"\xff" * 80, broken(90, 10)])
def test_whatever_else_is_sent_is_not_the_same_batch(other: bytes) -> None:
    """Nothing, rubbish, or what an earlier one might be: all that is for whoever reads on there."""
    log = [(10, 19, broken(10, 10)), (20, 39, other), (40, 49, numbered(40, 10))]

    assert search(log, 12, 1_000_000)[0] == 20


def test_a_batch_beyond_the_end_does_not_move_it() -> None:
    """Its offset is made up."""
    assert search([(10, 19, broken(10, 10)), (20, 29, numbered(500, 10))], 10, 30)[0] == 30


def test_a_million_offsets_take_few_questions() -> None:
    """In growing steps, then by halves."""
    found, asked = search([(0, 999_999, broken(0, 1)), (1_000_000, 1_000_001, NEXT)], 0, 2_000_000)

    assert found == 1_000_000
    assert asked < 45


def test_old_messages_are_found_too() -> None:
    """By their offset."""
    log = [(10, 19, broken(10, 10)), (20, 20, message(20, b"x"))]

    assert search(log, 10, 21)[0] == 20


def test_at_the_end_there_is_nothing_to_ask_for() -> None:
    """One offset is left, and it is that of the batch."""
    assert search([(10, 10, broken(10, 1))], 10, 11) == (11, 0)
