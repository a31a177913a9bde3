"""Reads a partition on where the client cannot: fetches the bytes, has them read, and hands the
records out in bites, until the client can go on behind what stopped it.

Meanwhile the client reads all other partitions. What the bytes say is believed when a second read,
over another connection, finds the same ones.
"""

from collections.abc import Iterator

from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError, UnknownError
from crc32c import crc32c

from ingestor.core.batches.passage import Lost, Passage, lost, survey
from ingestor.core.batches.search import Search
from ingestor.core.record import Partition, Record
from ingestor.edge.kafka_codecs import INFLATER
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_raw import RawReader, raw_reader

FETCH_BYTES = 2**20
# What is handed out at a time.
BITE_RECORDS, BITE_BYTES = 500, 2**20
UNTRUSTED = "a batch whose bytes are not those that were written"


class ChangingError(Exception):
    """Says that two reads of the same offsets gave different bytes."""


class Rescue:
    """What was found from offset *next* on, for as long as there is some left; *is_clean* when
    everything so far could be read.
    """

    def __init__(self, records: Iterator[Record], begin: int, end: int) -> None:
        self._records = records
        self._end = end
        self.next = begin
        self.is_clean = True
        self.is_over = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found at all."""
        return self.next == self._end

    def bite(self) -> list[Record]:
        """Take the next records; the bite after the last one is empty, and it is over."""
        records: list[Record] = []
        size = 0
        while len(records) < BITE_RECORDS and size < BITE_BYTES:
            record = next(self._records, None)
            if record is None:
                self.is_over, self.next = True, self._end
                break
            records.append(record)
            size += record.size
            self.next = record.next
            self.is_clean = self.is_clean and record.damage is None
        return records


async def rescue(connection: Connection, partition: Partition, offset: int) -> Rescue:
    """Read *partition* from *offset* on: sound batches, or the one record that stands for bytes
    that are not, or nothing at its end and where the offset is out of range.

    Raises KafkaError, OSError or TimeoutError when the broker does not give them, ChangingError
    when it gives others each time.
    """
    try:
        async with raw_reader(connection) as reader:
            fetched = await reader.fetch(partition, offset, FETCH_BYTES)
        found = survey(fetched, crc32c)
        if isinstance(found, Passage):
            return Rescue(found.read(INFLATER), offset, found.next)
        async with raw_reader(connection) as reader:
            again = survey(await reader.fetch(partition, offset, FETCH_BYTES), crc32c)
            if not isinstance(again, Lost) or again.raw != found.raw:
                raise ChangingError
            end = again.next or await _search(reader, partition, again, offset, fetched.end)
    except OffsetOutOfRangeError:
        return Rescue(iter(()), offset, offset)
    return Rescue(iter([lost(partition, offset, end - 1, found.raw, UNTRUSTED)]), offset, end)


async def _search(
    reader: RawReader, partition: Partition, found: Lost, offset: int, end: int
) -> int:
    """Find the offset behind the *found* bytes, which do not show it."""
    search = Search(found.raw, offset, end)
    while (probe := search.probe) is not None:
        try:
            raw = (await reader.fetch(partition, probe, 1)).raw
        except (CorruptRecordException, UnknownError):
            raw = b""  # the broker itself cannot read there
        search.saw(probe, raw, crc32c)
    return search.next


EXPECTED = (KafkaError, OSError, TimeoutError, ChangingError)
