"""Publishes events for the command line: many under way at a time, every one acknowledged."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import stop

ANSWER_MS = 30_000
LINGER_MS = 20
BATCH_BYTES = 2**19
# What is too large is for the broker to say.
MOST_BYTES = 2**30
MOST_UNDER_WAY = 5_000


@dataclass(frozen=True, slots=True)
class Publication:
    """How many events the broker acknowledged, and why not all of them."""

    count: int
    cause: str | None = None


async def publish(
    connection: Connection,
    topic: str,
    events: Iterable[tuple[bytes | None, bytes]],
    progress: Callable[[int], None],
) -> Publication:
    """Publish *events*, pairs of key and value, and tell *progress* how many more were
    acknowledged.
    """
    count = 0
    try:
        async with _producer(connection) as producer:
            async for done in _send(producer, topic, events):
                count += done
                progress(done)
    except (KafkaError, OSError) as error:
        return Publication(count, type(error).__name__)
    return Publication(count)


@asynccontextmanager
async def _producer(connection: Connection) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(
        **connection.options(),
        acks="all",
        compression_type="lz4",
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=MOST_BYTES,
        request_timeout_ms=ANSWER_MS,
    )
    try:
        await producer.start()
        yield producer
    finally:
        await stop(producer)


async def _send(producer: Any, topic: str, events: Iterable[tuple[bytes | None, bytes]]) -> Any:
    under_way: deque[asyncio.Future[Any]] = deque()
    try:
        for key, value in events:
            under_way.append(await producer.send(topic, value, key))
            if len(under_way) >= MOST_UNDER_WAY:
                await under_way.popleft()
                yield 1
        while under_way:
            await under_way.popleft()
            yield 1
    finally:
        for future in under_way:
            # One failure tells enough: asyncio would tell of every other one.
            future.add_done_callback(asyncio.Future.exception)
