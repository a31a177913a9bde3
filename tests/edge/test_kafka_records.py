"""The client makes our records of what it fetched, and leaves out what was handed out before."""

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from ingestor.core.record import Header, Partition, Record
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription, build
from ingestor.edge.kafka_records import Batches, Records

CALLS = TopicPartition("calls", 7)
HEADERS: list[Header] = [("tuner-agent-id", b"night-desk"), ("empty", None)]


def batch_of_three() -> bytes:
    """Write a batch."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000,
    )
    builder.append(0, timestamp=1_781_000_000_000, key=b"a", value=b"{}", headers=HEADERS)
    builder.append(1, timestamp=1_781_000_000_001, key=None, value=None, headers=[])
    builder.append(2, timestamp=1_781_000_000_002, key=b"", value=b"", headers=[])
    return bytes(builder.build())


def at(offset: int) -> bytes:
    """Write a batch as the broker stores it."""
    return offset.to_bytes(8, "big") + batch_of_three()[8:]


def fetched(start: int, *batches: bytes) -> Records:
    """Fetch *batches*, or one from offset 0 on, of which what comes before *start* was had."""
    found = Batches(b"".join(batches) or at(0))
    return Records(CALLS, found, [], start, None, None, True, READ_COMMITTED)  # noqa: FBT003 - its signature


def test_a_record_is_made_of_all_that_stands_in_the_batch() -> None:
    """No value is no empty value: the one is a tombstone, the other no JSON."""
    origin = Partition("calls", 7)

    assert list(fetched(0)) == [
        Record(origin, 0, 1_781_000_000_000, b"a", b"{}", tuple(HEADERS)),
        Record(origin, 1, 1_781_000_000_001, None, None),
        Record(origin, 2, 1_781_000_000_002, b"", b""),
    ]


def test_what_was_handed_out_before_is_left_out() -> None:
    """A batch is fetched as a whole, wherever one begins in it."""
    records = fetched(2)

    assert [record.offset for record in records] == [2]
    assert records.next_fetch_offset == 3


def test_batches_follow_each_other_with_gaps_or_without() -> None:
    """Compaction and transactions leave gaps."""
    assert [record.offset for record in fetched(0, at(0), at(3), at(90))] == [
        *range(6),
        *range(90, 93),
    ]


def test_of_batches_that_reach_over_what_follows_none_is_handed_out() -> None:
    """Not even the first: what follows could not be taken any more after it."""
    with pytest.raises(CorruptRecordException):
        next(fetched(0, at(0), at(8), at(6)))


def test_what_comes_before_an_altered_batch_is_handed_out() -> None:
    """And then the exception that says so; whoever asks again asks for what comes behind."""
    altered = bytearray(at(3))
    altered[-1] ^= 1
    records = fetched(0, at(0), bytes(altered), at(6))

    assert [next(records).offset for _ in range(3)] == [0, 1, 2]
    with pytest.raises(CorruptRecordException, match="checksum"):
        next(records)
    assert records.next_fetch_offset == 3


def test_of_a_batch_that_was_not_fetched_whole_nothing_is_handed_out() -> None:
    """The broker cuts an answer where its size is reached."""
    assert [record.offset for record in fetched(0, at(0), at(3)[:-1])] == [0, 1, 2]


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [0, 1])
def test_batches_of_older_formats_are_read_too(magic: int, codec: int) -> None:
    """Brokers keep what was written before their time."""
    builder = LegacyRecordBatchBuilder(magic, codec, 10_000)
    for offset in range(3):
        builder.append(offset, timestamp=1_781_000_000_000, key=None, value=b"{}")
    batch = bytes(builder.build())

    assert [record.offset for record in fetched(0, batch, batch)][:3] == [0, 1, 2]


async def test_every_consumer_that_is_built_makes_them() -> None:
    """aiokafka looks up in its own module what it makes of a fetch."""
    consumer = build(Connection("127.0.0.1:1", "test"), Subscription(("calls",), "group"))
    await consumer.stop()

    assert fetcher.PartitionRecords is Records
