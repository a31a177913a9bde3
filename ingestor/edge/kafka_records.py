"""Has the Kafka client make our records: it would make others, of which ours then had to be made,
and that took a third of what reading costs.
"""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from ingestor.core.record import Partition, Record


class Rising:
    """The *batches* of a fetch, one by one, if each ends behind the one before.

    The offset of a batch is not under its checksum. One that was altered so that it reaches over
    those that follow must not be handed out: they would be passed over for good.
    """

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self._left: deque[Any] = deque()

    def has_next(self) -> bool:
        """Whether there is another one. CorruptRecordException when they cannot be believed."""
        # Not before somebody asks: whatever it raises then is known to be about this partition.
        if self._batches.has_next():
            self._look()
        return bool(self._left)

    def next_batch(self) -> Any:
        """Take it."""
        return self._left.popleft()

    def _look(self) -> None:
        while self._batches.has_next():
            self._left.append(self._batches.next_batch())
        # Batches of older formats know no producers, and do not tell before they are unpacked.
        ends = (batch.next_offset for batch in self._left if batch.producer_id is not None)
        if not all(before < after for before, after in pairwise(ends)):
            raise CorruptRecordException("offsets out of order")


class Records(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """What was fetched of a partition."""

    def __init__(self, tp: TopicPartition, batches: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(tp, Rising(batches), *args, **kwargs)
        # One for all of them, and not a tuple of the same content for each.
        self._origin = Partition(tp.topic, tp.partition)

    def __iter__(self) -> Iterator[Record]:
        """Go on where it was left; without aiokafka's call in between for each record."""
        records: Iterator[Record] = self._records_iterator
        return records

    def _consumer_record(self, _tp: TopicPartition, item: Any) -> Record:
        """Make a record of what stood in a batch; there is nothing to deserialize."""
        return Record(
            self._origin, item.offset, item.timestamp, item.key, item.value, tuple(item.headers)
        )


def make_records() -> None:
    """Have every consumer of this process make them: aiokafka has no other place for it."""
    fetcher.PartitionRecords = Records
