"""Sound batches are read, what cannot be trusted is kept, and its end is where the next sound batch
begins.
"""

import struct
import zlib

import pytest
from aiokafka.record.util import calc_crc32c
from core.batches.writing import (
    CHECKSUM_AT,
    LENGTH_AT,
    MAGIC_AT,
    STAMPED,
    TIME,
    TRANSACTIONAL,
    WHERE,
    Item,
    batch,
    fetched,
    marker,
    message,
    numbered,
    packed,
    record,
    spoilt,
)

from ingestor.core.batches.inflating import Codec, Inflater
from ingestor.core.batches.passage import Fetched, Lost, Passage, survey
from ingestor.core.record import Damage, Record

INFLATER = Inflater(2**20)
FIRST, SECOND, THIRD = (numbered(base, 10) for base in (0, 10, 20))
WRONG_SUM = spoilt(SECOND, CHECKSUM_AT, b"\0\0\0\0")


def passage(given: Fetched) -> tuple[list[Record], int]:
    """Read what is sound at the begin, and where it ends."""
    found = survey(given, calc_crc32c)
    assert isinstance(found, Passage), found
    return list(found.read(INFLATER)), found.next


def lost(given: Fetched) -> Lost:
    """Give what is not sound at the begin."""
    found = survey(given, calc_crc32c)
    assert isinstance(found, Lost), found
    return found


def offsets(given: Fetched) -> list[int]:
    """Give the offsets of all records in sound batches."""
    return [record.offset for record in passage(given)[0]]


# Sound batches


@pytest.mark.parametrize("codec", Codec)
def test_sound_batches_are_read_in_order(codec: Codec) -> None:
    """However they are compressed."""
    records, end = passage(fetched(numbered(0, 10, codec=codec), SECOND))

    assert records == [Record(WHERE, n, TIME, None, b"%d" % n) for n in range(20)]
    assert end == 20


def test_the_first_batch_may_begin_before_the_offset_asked_for() -> None:
    """A broker sends whole batches."""
    assert offsets(fetched(FIRST, SECOND, start=5)) == list(range(5, 20))
    assert offsets(fetched(FIRST, SECOND, start=10)) == list(range(10, 20))


def test_the_last_batch_may_be_cut_off() -> None:
    """A broker fills an answer to the byte."""
    for cut in (1, 30, 70):
        assert passage(fetched(FIRST, SECOND, THIRD[:-cut]))[1] == 20


def test_nothing_sent_is_nothing_found() -> None:
    """At the end of the partition."""
    assert passage(fetched(start=7)) == ([], 7)


def test_an_altered_magic_byte_alters_nothing_else() -> None:
    """It is not under the checksum, and the client minds it no more."""
    for magic in (b"\3", b"\xff"):
        assert offsets(fetched(spoilt(FIRST, MAGIC_AT, magic))) == list(range(10))


def test_offsets_that_come_again_are_left_out() -> None:
    """The offset of a batch is not under its checksum."""
    assert offsets(fetched(FIRST, FIRST, SECOND)) == list(range(20))


def test_a_batch_the_broker_stamped_has_one_time() -> None:
    """That of its arrival."""
    ((record,), _) = passage(fetched(batch(0, [Item(time=3)], attributes=STAMPED)))

    assert record.timestamp == TIME + 1_000


def test_the_end_of_a_batch_counts_also_without_records() -> None:
    """Compaction leaves empty batches, so that their last offset is known."""
    assert passage(fetched(batch(0, delta=9, count=0))) == ([], 10)


@pytest.mark.parametrize(
    ("codec", "payload", "cause"),
    [
        (5, b"x", "a codec that is not known"),
        (Codec.GZIP, b"x" * 30, "a broken gzip stream"),
        (Codec.ZSTD, b"", "a broken zstd frame"),
    ],
)
def test_a_batch_that_cannot_be_inflated_is_one_range(
    codec: int, payload: bytes, cause: str
) -> None:
    """As it was sent; what comes behind it is read."""
    raw = batch(0, payload=payload, codec=codec, delta=9, count=10)

    records, end = passage(fetched(raw, SECOND, start=4))

    assert records[0] == Record(WHERE, 4, -1, None, raw, (), Damage(9, cause))
    assert [record.offset for record in records[1:]] == list(range(10, 20))
    assert end == 20


def test_a_broken_record_is_a_range_in_its_batch() -> None:
    """The others of its batch are read."""
    broken = b"\x0cbroken"
    payload = record(Item(0)) + broken + record(Item(2))

    records, _ = passage(fetched(batch(0, payload=payload, delta=2, count=3)))

    assert [record.offset for record in records] == [0, 1, 2]
    assert (records[1].value, records[1].next) == (broken, 2)
    assert records[1].damage is not None


def test_a_range_that_was_read_before_is_left_out() -> None:
    """A batch is sent whole, however far into it one asks."""
    raw = batch(0, payload=b"\x0cbroken" + record(Item(2)), delta=2, count=3)

    assert offsets(fetched(raw, start=2)) == [2]
    assert offsets(fetched(raw, start=1)) == [1, 2]


def test_a_range_keeps_the_smaller_bytes() -> None:
    """A megabyte may stand for many: then the batch is kept as it was sent."""
    payload = packed(Codec.ZSTD, b"\0" * 2**19)
    raw = batch(0, payload=payload, codec=Codec.ZSTD, delta=2, count=3)

    ((found,), _) = passage(fetched(raw))

    assert found.value == raw


# Transactions


def test_what_a_transaction_aborted_is_left_out() -> None:
    """Until its marker, and only of that producer."""
    ours, theirs = {"attributes": TRANSACTIONAL, "producer": 7}, {"producer": 8}
    log = (
        numbered(0, 2, **ours),
        numbered(2, 2, attributes=TRANSACTIONAL, **theirs),
        numbered(4, 2, attributes=0, producer=7),
        marker(6, 7, is_commit=False),
        numbered(7, 2, **ours),
        marker(9, 7, is_commit=True),
        marker(10, 8, is_commit=True),
    )

    assert offsets(fetched(*log, aborted=((7, 0),))) == [2, 3, 4, 5, 7, 8]
    assert offsets(fetched(*log)) == [0, 1, 2, 3, 4, 5, 7, 8]
    assert passage(fetched(*log))[1] == 11


def test_a_transaction_is_aborted_from_its_first_offset_on() -> None:
    """What the same producer wrote before was committed."""
    ours = {"attributes": TRANSACTIONAL, "producer": 7}
    log = numbered(0, 2, **ours), marker(2, 7, is_commit=True), numbered(3, 2, **ours)

    assert offsets(fetched(*log, aborted=((7, 3),))) == [0, 1]


@pytest.mark.parametrize("key", [None, b"", b"\0\0\0", b"\0\0\0\0", b"\0\0\0\7"])
def test_a_marker_that_is_no_commit_ends_what_is_left_out(key: bytes | None) -> None:
    """In doubt a call is posted."""
    ours = {"attributes": TRANSACTIONAL, "producer": 7}
    odd = batch(2, [Item(0, b"", key)], attributes=TRANSACTIONAL | 0x20, producer=7)

    log = numbered(0, 2, **ours), odd, numbered(3, 2, **ours)

    assert offsets(fetched(*log, aborted=((7, 0),))) == [3, 4]


# What cannot be trusted


@pytest.mark.parametrize(
    "bad",
    [
        WRONG_SUM,
        spoilt(SECOND, len(SECOND) - 1, b"?"),
        spoilt(SECOND, MAGIC_AT, b"\1"),
        spoilt(SECOND, MAGIC_AT, b"\0"),
        spoilt(SECOND, LENGTH_AT, struct.pack(">i", len(SECOND) - 20)),
        spoilt(SECOND, LENGTH_AT, struct.pack(">i", len(SECOND) + 20)),
        spoilt(SECOND, LENGTH_AT, struct.pack(">i", 2**31 - 1)),
        spoilt(SECOND, LENGTH_AT, struct.pack(">i", -1)),
        spoilt(SECOND, 0, struct.pack(">q", 2**50)),
        spoilt(SECOND, 0, struct.pack(">q", -1)),
        batch(10, [Item(0)], delta=-3),
        batch(10, [Item(0)], delta=2**30),
    ],
    ids=[
        "checksum",
        "record",
        "magic",
        "old magic",
        "short length",
        "long length",
        "huge length",
        "negative length",
        "offset beyond the end",
        "negative offset",
        "negative delta",
        "delta beyond the end",
    ],
)
def test_a_batch_that_is_not_sound_ends_where_the_next_sound_one_begins(bad: bytes) -> None:
    """Whatever it says of itself; when it comes first, for what is before it is read first."""
    given = fetched(bad, THIRD, start=10, end=30)

    assert lost(given) == Lost(bad, 20)
    assert passage(fetched(FIRST, bad, THIRD, end=30))[1] == 10


def test_batches_side_by_side_that_are_not_sound_are_kept_together() -> None:
    """Where one of them ends and the next begins nobody can say."""
    assert lost(fetched(WRONG_SUM, WRONG_SUM, THIRD, start=10)) == Lost(WRONG_SUM * 2, 20)


@pytest.mark.parametrize("rest", [b"", THIRD[:-1], WRONG_SUM, b"\0" * 100])
def test_without_a_sound_batch_behind_it_the_end_is_not_known(rest: bytes) -> None:
    """Somebody else has to ask the broker."""
    assert lost(fetched(WRONG_SUM, rest, start=10)) == Lost(WRONG_SUM, None)


def test_a_batch_behind_it_has_to_be_one_that_can_be() -> None:
    """An earlier one, or one beyond the end, is an accident or made up."""
    for odd in (FIRST, numbered(95, 10)):
        assert lost(fetched(WRONG_SUM, odd, start=10, end=100)).next is None


@pytest.mark.parametrize("raw", [b"x", b"x" * 11, b"\0" * 12, b"\xff" * 60, b"\0" * 5_000])
def test_what_is_no_batch_at_all_is_kept(raw: bytes) -> None:
    """Whatever it is."""
    assert lost(fetched(raw)) == Lost(raw, None)


def test_a_batch_is_found_in_any_rubbish_but_not_looked_for_without_end() -> None:
    """Rubbish can look like the begin of a batch at every byte."""
    begin = struct.pack(">qiib", 20, 100, 0, 2)

    assert lost(fetched(begin * 90, THIRD, start=10, end=30)).next == 20
    assert lost(fetched(begin * 200, THIRD, start=10, end=30)).next is None


@pytest.mark.parametrize("base", [15, 20, 26, 29])
def test_a_batch_that_says_it_is_further_on_is_not_believed(base: int) -> None:
    """Whoever does skips those that are really there. Offsets that are missing are none of this."""
    moved = spoilt(SECOND, 0, struct.pack(">q", base))

    assert lost(fetched(moved, THIRD, start=10)) == Lost(moved, 20)
    assert passage(fetched(FIRST, moved, THIRD))[1] == 10
    assert passage(fetched(FIRST, THIRD))[1] == 30


def test_what_was_read_already_may_come_first() -> None:
    """A broker is misled by such an offset too: it sends that batch for whatever is behind it."""
    far = spoilt(SECOND, 0, struct.pack(">q", 2**50))

    for start in (20, 25):
        assert offsets(fetched(far, THIRD, start=start, end=30)) == list(range(start, 30))


# Old formats


@pytest.mark.parametrize("magic", [0, 1])
def test_old_messages_are_read(magic: int) -> None:
    """One by one, or several wrapped in one that is compressed."""
    shift = 1 if magic else 0
    inner = [message(n if shift else n + 1, b"%d" % (n + 1), magic=magic) for n in range(3)]
    wrapped = packed(Codec.GZIP, b"".join(inner))
    log = (
        message(0, b"0", magic=magic, key=b"k"),
        message(3, wrapped, magic=magic, codec=Codec.GZIP),
        message(4, None, magic=magic),
    )

    records, end = passage(fetched(*log, SECOND))

    time = TIME if magic else -1
    assert records[:5] == [
        Record(WHERE, 0, time, b"k", b"0"),
        *(Record(WHERE, n, time, None, b"%d" % n) for n in (1, 2, 3)),
        Record(WHERE, 4, time, None, None),
    ]
    assert end == 20


@pytest.mark.parametrize(
    ("wrapped", "cause"),
    [
        (b"no gzip", "a broken gzip stream"),
        (message(0, b"x")[:-1], "a broken message in a compressed one"),
        (b"", "a broken message in a compressed one"),
        (spoilt(message(0, b"x"), 12, b"\0\0\0\0"), "a broken message in a compressed one"),
        (message(0, b"x", codec=1), "a broken message in a compressed one"),
    ],
    ids=["stream", "cut off", "empty", "checksum", "wrapped twice"],
)
def test_an_old_message_that_cannot_be_unwrapped_is_a_range(wrapped: bytes, cause: str) -> None:
    """At the offset of the last one in it, which is all that it says."""
    content = wrapped if "gzip" in cause else packed(Codec.GZIP, wrapped)
    raw = message(3, content, codec=Codec.GZIP)

    ((record,), end) = passage(fetched(raw))

    assert (record.offset, record.value, record.damage) == (3, raw, Damage(3, cause))
    assert end == 4


@pytest.mark.parametrize("cut", [3, 8, 10])
def test_an_old_message_whose_lengths_are_wrong_is_a_range(cut: int) -> None:
    """Its checksum may be right all the same."""
    whole = message(0, b"0123")
    short = whole[16:-cut]
    raw = struct.pack(">qiI", 0, 4 + len(short), zlib.crc32(short)) + short

    ((record,), _) = passage(fetched(raw))

    assert record.value == raw
    assert record.damage is not None


def test_an_old_message_that_is_not_sound_is_lost() -> None:
    """It is told by its own checksum."""
    bad = spoilt(message(5, b"x"), 12, b"\0\0\0\0")

    assert lost(fetched(bad, SECOND, start=5)) == Lost(bad, 10)
