"""The Kafka client takes no more memory than it is given, however it reads."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from core.batches.writing import Item, batch, message, packed

from ingestor.core.batches.inflating import MOST_BYTES, Codec, InflationError
from ingestor.edge.kafka_codecs import bound_codecs

CODECS = tuple(Codec)[1:]


@pytest.mark.parametrize("codec", CODECS)
def test_the_client_reads_what_is_compressed(codec: Codec) -> None:
    """As ever."""
    bound_codecs()

    (read,) = DefaultRecordBatch(batch(0, [Item(0, b"abc")], codec=codec))

    assert read.value == b"abc"


@pytest.mark.parametrize("codec", CODECS)
def test_the_client_inflates_no_bomb(codec: Codec) -> None:
    """A few kilobytes that stand for more than all of the service's memory."""
    bound_codecs()
    bomb = packed(codec, b"\0" * (MOST_BYTES + 1))

    with pytest.raises(InflationError, match="more than"):
        next(iter(DefaultRecordBatch(batch(0, payload=bomb, codec=codec, count=1))))


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.SNAPPY, Codec.LZ4])
def test_nor_one_of_an_old_format(codec: Codec) -> None:
    """Which has readers of its own."""
    bound_codecs()
    bomb = packed(codec, b"\0" * (MOST_BYTES + 1))

    with pytest.raises(InflationError, match="more than"):
        next(iter(MemoryRecords(message(0, bomb, codec=codec)).next_batch()))
