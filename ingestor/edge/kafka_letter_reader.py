"""Reads the dead-letter topic from its beginning at least to the end that it has now, without a
group: it leaves no trace.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingestor.core.letter import Letter
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import stop
from ingestor.edge.kafka_letter_topic import admin

ANSWER_MS = 10_000
POLL_MS = 500
MOST_RECORDS = 200


class NotReadError(Exception):
    """The topic could not be read; the text says why."""


async def read_letters(connection: Connection, topic: str) -> AsyncGenerator[Letter, None]:
    """Yield every record of *topic* as it is stored, partition by partition.

    NotReadError when a broker does not answer, or the topic is not there.
    """
    try:
        names = await _partitions(connection, topic)
        async with _consumer(connection) as consumer:
            async for item in _items(consumer, names):
                yield Letter(item.key, item.value, tuple(item.headers))
    except (KafkaError, OSError) as error:
        raise NotReadError(type(error).__name__) from error


async def _partitions(connection: Connection, topic: str) -> list[TopicPartition]:
    async with admin(connection, ANSWER_MS / 1000) as client:
        # All topics: asking for one may make it.
        for found in await client.describe_topics():
            if found["topic"] == topic:
                return [TopicPartition(topic, it["partition"]) for it in found["partitions"]]
    raise NotReadError(f"topic {topic} does not exist, or may not be seen")


@asynccontextmanager
async def _consumer(connection: Connection) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **connection.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        request_timeout_ms=ANSWER_MS,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await stop(consumer)


async def _items(consumer: Any, names: Sequence[TopicPartition]) -> AsyncIterator[Any]:
    begins = await consumer.beginning_offsets(names)
    ends = await consumer.end_offsets(names)
    for name in sorted(names):
        consumer.assign([name])
        consumer.seek(name, begins[name])
        # The position also passes what transactions and removed records have left.
        while await consumer.position(name) < ends[name]:
            found = await consumer.getmany(name, timeout_ms=POLL_MS, max_records=MOST_RECORDS)
            for item in found.get(name, ()):
                yield item
