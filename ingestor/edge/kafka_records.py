"""Has the Kafka client make our records: it would make others, of which ours then had to be made,
and that took a third of what reading costs.
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher

from ingestor.core.record import Partition, Record


class Records(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """What was fetched of a partition."""

    def __init__(self, tp: TopicPartition, *args: Any, **kwargs: Any) -> None:
        super().__init__(tp, *args, **kwargs)
        # One for all of them, and not a tuple of the same content for each.
        self._origin = Partition(tp.topic, tp.partition)

    def _consumer_record(self, _tp: TopicPartition, item: Any) -> Record:
        """Make a record of what stood in a batch; there is nothing to deserialize."""
        return Record(
            self._origin, item.offset, item.timestamp, item.key, item.value, tuple(item.headers)
        )


def make_records() -> None:
    """Have every consumer of this process make them: aiokafka has no other place for it."""
    fetcher.PartitionRecords = Records
