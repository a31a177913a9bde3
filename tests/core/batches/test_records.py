"""A broken record hides no other, and every offset of a batch is accounted for."""

import pytest
from core.batches.writing import TIME, Item, bare, record, text, varint

from ingestor.core.batches import records
from ingestor.core.batches.records import Entry, Frame, Hole, read_records

GOOD = record(Item(0)), record(Item(1)), record(Item(2))
SHORT = record(Item(1))


def read(payload: bytes, count: int = 3, last: int = 2) -> list[Entry | Hole]:
    """Read the records of a batch from offset 10 to *last* after it."""
    return list(read_records(payload, Frame(10, 10 + last, count, TIME)))


def entry(offset: int) -> Entry:
    """Give what `GOOD` says at an offset."""
    return Entry(offset, TIME, None, b"value", ())


def test_a_record_is_read_whole() -> None:
    """Offset and time count from those of the batch."""
    item = Item(2, b"v", b"k", ((b"a", b"1"), (b"a", None), (b"", b"")), -7)

    (found,) = read(record(item), count=1)

    assert found == Entry(12, TIME - 7, b"k", b"v", (("a", b"1"), ("a", None), ("", b"")))


def test_key_and_value_may_be_missing() -> None:
    """That is not the same as being empty."""
    (found,) = read(record(Item(2, None, b"")), count=1)

    assert isinstance(found, Entry)
    assert (found.key, found.value) == (b"", None)


def test_the_broker_may_have_stamped_the_batch() -> None:
    """Then its time is the time of all."""
    frame = Frame(10, 12, 1, TIME, stamped=99)

    (found,) = read_records(record(Item(2, time=5)), frame)

    assert isinstance(found, Entry)
    assert found.timestamp == 99


def test_a_header_name_that_is_no_text_stays_legible() -> None:
    """And distinct from others."""
    (found,) = read(record(Item(2, headers=((b"a\xff\xc3", b"\xff"),))), count=1)

    assert isinstance(found, Entry)
    assert found.headers == (("a\\xff\\xc3", b"\xff"),)


def test_offsets_that_compaction_removed_are_no_holes() -> None:
    """The batch says how many records it has left."""
    assert read(record(Item(1)), count=1) == [entry(11)]


BROKEN = {
    "a number that does not end": text(b"\0" + b"\xff" * 20),
    "a timestamp that is none": text(
        b"\0" + varint(2**63 - 1) + varint(1) + text(None) * 2 + b"\0"
    ),
    "a length beyond the end of the record": text(bare(Item(1))[:4] + varint(90) + b"xxxx"),
    "a record that does not fill its length": text(bare(Item(1)) + b"x"),
    "an impossible number of headers": text(bare(Item(1))[:-1] + varint(-1)),
    "a header without a name": text(bare(Item(1))[:-1] + varint(1) + text(None) + text(b"v")),
    "an offset out of order": record(Item(0)),
}


@pytest.mark.parametrize("cause", BROKEN)
def test_a_broken_record_is_a_hole_between_the_others(cause: str) -> None:
    """With its bytes, and the offset that is left for it."""
    payload = GOOD[0] + BROKEN[cause] + GOOD[2]

    assert read(payload) == [entry(10), Hole(11, 11, BROKEN[cause], cause), entry(12)]


def test_broken_records_side_by_side_are_one_hole() -> None:
    """Which of them had which offset nobody knows."""
    broken = BROKEN["a header without a name"] + BROKEN["a number that does not end"]

    assert read(broken + record(Item(2))) == [
        Hole(10, 11, broken, "a header without a name"),
        entry(12),
    ]


def test_a_hole_has_an_offset_of_its_own() -> None:
    """What comes behind it and leaves it none belongs to it."""
    broken = BROKEN["a header without a name"] + GOOD[0]

    assert read(broken + GOOD[1]) == [
        Hole(10, 10, broken, "a header without a name"),
        entry(11),
        Hole(12, 12, b"", "fewer records than the batch says"),
    ]


@pytest.mark.parametrize("length", [-1, 0, 5, 2**31 - 1])
def test_a_broken_length_hides_the_rest(length: int) -> None:
    """Nobody knows where the next record would begin."""
    rest = varint(length) + GOOD[1] + GOOD[2]

    assert read(GOOD[0] + rest) == [
        entry(10),
        Hole(11, 12, rest, "a record whose length is impossible"),
    ]


def test_a_broken_length_after_a_broken_record_makes_one_hole() -> None:
    """Its cause is the first."""
    rest = BROKEN["a header without a name"] + varint(-1)

    assert read(GOOD[0] + rest) == [entry(10), Hole(11, 12, rest, "a header without a name")]


def test_a_batch_that_holds_fewer_records_than_it_says_has_a_hole() -> None:
    """Nothing is known of them but their offsets."""
    hole = Hole(11, 12, b"", "fewer records than the batch says")

    assert read(GOOD[0]) == [entry(10), hole]
    assert read(b"") == [hole._replace(first=10)]


@pytest.mark.parametrize("count", [-(2**31), -1, 0, 1, 2, 2**31 - 1])
def test_an_impossible_number_of_records_changes_nothing(count: int) -> None:
    """The offsets say which there are."""
    assert read(b"".join(GOOD), count) == [entry(10), entry(11), entry(12)]


def test_what_has_no_offset_in_its_batch_is_no_record() -> None:
    """Its offset belongs to the next batch."""
    assert read(b"".join(GOOD) + record(Item(3)) + b"\0\0") == [entry(10), entry(11), entry(12)]


def test_nobody_reads_headers_without_end() -> None:
    """A few megabytes of them take minutes."""
    many = varint(records.MOST_HEADERS + 1) + b"\0\0" * (records.MOST_HEADERS + 1)

    (hole,) = read(text(bare(Item(0))[:-1] + many))

    assert isinstance(hole, Hole)
    assert (hole.first, hole.last, hole.cause) == (10, 12, "an impossible number of headers")


def test_nobody_reads_broken_records_without_end() -> None:
    """After many in a row the rest is one hole."""
    payload = BROKEN["a header without a name"] * (records.MOST_BROKEN + 5) + GOOD[2]

    assert read(payload) == [Hole(10, 12, payload, "a header without a name")]
