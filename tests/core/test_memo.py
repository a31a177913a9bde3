"""What travels in a commit's metadata is read back as it was written, or not at all."""

import zlib
from base64 import b64decode, b64encode
from itertools import accumulate

import pytest
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.memo import MOST_CHARACTERS, Memo, Stretch, read, write

TIMES = st.one_of(st.integers(-1, 2**41), st.integers(-(2**63), 2**63 - 1))
LENGTHS = st.one_of(st.integers(1, 300), st.integers(1, 2**40))
STRETCHES = st.tuples(st.integers(0, 300), TIMES, LENGTHS)
BASES = st.integers(0, 2**60)
NOW = 1_781_108_062_500


def memo(base: int, *parts: tuple[int, int, int]) -> Memo:
    """Make a memo of stretches by their distance, their timestamp and their length."""
    ends = [base, *accumulate((gap + length for gap, _, length in parts), initial=base)][1:]
    return Memo(
        base,
        tuple(
            Stretch(end + gap, timestamp, end + gap + length)
            for end, (gap, timestamp, length) in zip(ends, parts, strict=False)
        ),
    )


def packed(*numbers: int) -> str:
    """Write numbers below 128 as a memo is written, whatever they say."""
    body = bytes(numbers)
    return "1" + b64encode(body + zlib.crc32(body).to_bytes(4)).decode()


@given(BASES, st.lists(STRETCHES, min_size=1, max_size=40))
def test_a_memo_is_read_back_as_it_was_written(
    base: int, parts: list[tuple[int, int, int]]
) -> None:
    """With any timestamps: those of old brokers' records are -1."""
    written = memo(base, *parts)

    assert read(write(written), base) == written


@given(BASES, st.lists(STRETCHES, max_size=2_000), st.integers(0, MOST_CHARACTERS))
def test_what_does_not_fit_is_left_out_from_the_end(
    base: int, parts: list[tuple[int, int, int]], most: int
) -> None:
    """A shorter truth is better than none: only what is left out is posted again."""
    whole = memo(base, *parts)

    text = write(whole, most)

    assert len(text) <= most
    found = read(text, base)
    kept = found.stretches if found else ()
    assert kept == whole.stretches[: len(kept)]
    assert bool(text) == bool(kept)


def test_as_many_stretches_are_written_as_fit() -> None:
    """One more would be too long; a thousand are no rarity on a bad day, and fit."""
    whole = memo(5_000_000, *[(2, NOW + 3 * number, 5) for number in range(2_000)])
    text = write(whole)
    found = read(text, 5_000_000)

    assert found is not None
    assert 1_000 < len(found.stretches) < 2_000
    assert MOST_CHARACTERS - 4 <= len(text) <= MOST_CHARACTERS
    assert text.isascii()


def test_ten_thousand_records_behind_one_take_a_line() -> None:
    """The length is that of the unfinished, not of the finished."""
    assert len(write(memo(3_000_000_000, (1, NOW, 10_000)))) <= 32


@given(st.text() | st.text("1AQ=+/\n", max_size=60) | st.binary().map(lambda it: packed(*it)))
def test_reading_never_raises(text: str) -> None:
    """Anybody may commit anything with an offset."""
    found = read(text, 0)

    assert found is None or (found.base == 0 and found.stretches)


@given(st.integers(0, 40), st.integers(0, 63))
def test_a_letter_that_changed_voids_the_memo(place: int, letter: int) -> None:
    """It has a checksum: nothing is believed that nobody wrote."""
    text = write(memo(1_000, (1, NOW, 10), (1, NOW + 5, 700), (2, NOW + 9, 3)))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place %= len(text)
    changed = text[:place] + letters[letter] + text[place + 1 :]

    found = read(changed, 1_000)

    assert found is None or b64decode(changed[1:]) == b64decode(text[1:])


@table(
    "text",
    {
        "nothing": "",
        "a text of somebody else": "consumer-7 at 10:00",
        "an unknown version": "2" + write(memo(0, (1, NOW, 5)))[1:],
        "the version alone": "1",
        "no base64": "1!!!!",
        "letters that are none": "1\u00e9\ud800",
        "cut off": write(memo(0, (1, NOW, 5)))[:-4],
        "too long for us": "1" + "A" * MOST_CHARACTERS,
        "no base": packed(),
        "no stretch": packed(0),
        "half a stretch": packed(0, 1, 2),
        "an empty stretch": packed(0, 1, 2, 0),
        "a number that does not end": packed(0, 1, 2, 3, 0x80),
    },
)
def test_what_is_no_memo_says_nothing(text: str) -> None:
    """Then everything from the committed offset on is read and posted."""
    assert read(text, 0) is None


@pytest.mark.parametrize("committed", [0, 99, 101])
def test_a_memo_is_for_the_offset_with_which_it_was_committed(committed: int) -> None:
    """An offset that was set by hand, or translated for another cluster, may keep its metadata."""
    text = write(memo(100, (1, NOW, 5)))

    assert read(text, committed) is None
    assert read(text, 100) is not None


@pytest.mark.parametrize(
    "stretches",
    [(Stretch(4, NOW, 6),), (Stretch(5, NOW, 9), Stretch(8, NOW, 12)), (Stretch(9, NOW, 8),)],
    ids=["before the base", "over one another", "backwards"],
)
def test_a_memo_out_of_order_is_a_bug(stretches: tuple[Stretch, ...]) -> None:
    """Rather than write what would be read as something else, or write for ever."""
    with pytest.raises(ValueError, match="not in order"):
        write(Memo(5, stretches))


def test_nothing_finished_is_nothing_written() -> None:
    """Most of the time all is finished up to the mark."""
    assert write(Memo(7, ())) == ""
