"""What holds for all bytes: good batches are read as the client reads them, and bad ones account
for every offset, raise nothing and take neither time nor memory without bound.
"""

from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c
from core.batches.writing import Item, batch, fetched, numbered
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.batches.inflating import Codec, Inflater
from ingestor.core.batches.passage import Fetched, Passage, survey
from ingestor.core.record import Record

BOUND = 2**18
INFLATER = Inflater(BOUND)
NEXT = numbered(1_000, 2)

content = st.none() | st.binary(max_size=60) | st.just(b"x" * 900)
headers = st.lists(st.tuples(st.text(max_size=5).map(str.encode), content), max_size=3).map(tuple)
item = st.tuples(content, content, headers, st.integers(-(2**40), 2**40))


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Draw the records of a batch, with gaps as compaction leaves them."""
    offset, drawn = -1, []
    for value, key, named, time in draw(st.lists(item, min_size=1, max_size=8)):
        offset += draw(st.integers(1, 3))
        drawn.append(Item(offset, value, key, named, time))
    return drawn


def read(given: Fetched) -> tuple[list[Record], int]:
    """Read what was fetched as far as it is sound."""
    found = survey(given, calc_crc32c)
    assert isinstance(found, Passage)
    return list(found.read(INFLATER)), found.next


@given(items(), st.sampled_from(Codec), st.sampled_from([0, 8]), st.integers(0, 2**40))
def test_a_good_batch_is_read_as_the_client_reads_it(
    items: Sequence[Item], codec: Codec, attributes: int, base: int
) -> None:
    """Two readers that share nothing agree on every field."""
    raw = batch(base, items, codec=codec, attributes=attributes)
    assert DefaultRecordBatch(raw).validate_crc()
    theirs = [
        (each.offset, each.timestamp, each.key, each.value, tuple(each.headers))
        for each in DefaultRecordBatch(raw)
    ]

    records, end = read(fetched(raw, start=base, end=2**50))

    ours = [(each.offset, each.timestamp, each.key, each.value, each.headers) for each in records]
    assert ours == theirs
    assert end == base + items[-1].offset + 1


def mutated(data: st.DataObject, raw: bytes) -> bytes:
    """Flip bits, cut off, put in."""
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, max(0, len(changed) - 1)))
        if changed and data.draw(st.booleans()):
            changed[where] ^= 1 << data.draw(st.integers(0, 7))
        else:
            changed[where : where + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    return bytes(changed)


def check_accounts(records: Sequence[Record], start: int, end: int) -> None:
    """Every record has offsets of its own, in order and within bounds."""
    expected = start
    for record in records:
        assert expected <= record.offset < record.next <= end
        expected = record.next


@given(items(), st.sampled_from(Codec), st.data())
def test_a_batch_that_was_altered_raises_nothing(
    items: Sequence[Item], codec: Codec, data: st.DataObject
) -> None:
    """It is sound, or lost with all its bytes; what stands before the next batch stays there."""
    raw = mutated(data, batch(0, items, codec=codec)) + NEXT
    found = survey(fetched(raw, end=1_002), calc_crc32c)

    if isinstance(found, Passage):
        check_accounts(list(found.read(INFLATER)), 0, found.next)
    else:
        assert raw.startswith(found.raw)
        assert found.raw
        assert found.next is None or 0 < found.next < 1_002


@given(items(), st.sampled_from(Codec), st.data())
def test_a_batch_that_was_written_wrong_accounts_for_every_offset(
    items: Sequence[Item], codec: Codec, data: st.DataObject
) -> None:
    """Its checksum is right, so it is read; and each of its offsets has its record or a range."""
    payload = mutated(data, batch(0, items, codec=codec)[61:])
    count = data.draw(st.integers(-5, 20))
    last = items[-1].offset
    raw = batch(0, payload=payload, codec=codec, delta=last, count=count)

    records, end = read(fetched(raw, NEXT, end=1_002))

    assert [record.offset for record in records[-2:]] == [1_000, 1_001]
    check_accounts(records, 0, end)
    assert all(len(record.value or b"") <= BOUND for record in records)
    if count > len(records) - 2:
        assert records[-3].next == last + 1


@given(st.binary(max_size=300), st.integers(0, 5), st.integers(5, 2**40))
def test_whatever_is_sent_raises_nothing(raw: bytes, start: int, end: int) -> None:
    """It is rubbish, and is kept."""
    found = survey(fetched(raw, start=start, end=end), calc_crc32c)

    if isinstance(found, Passage):
        check_accounts(list(found.read(INFLATER)), start, max(start, end))
    else:
        assert found.raw
