"""Becomes a member of the group as soon as there is a broker that lets us in, and every topic."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from aiokafka.errors import KafkaError

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import (
    STOP_SECONDS,
    Listener,
    Member,
    Subscription,
    build,
    stop,
    without,
)
from ingestor.edge.kafka_heartbeats import hear
from ingestor.edge.kafka_reach import obstacle
from ingestor.edge.kafka_turns import serve_readers_first

LONGEST_BACKOFF = 5.0
DICE = random.Random()  # noqa: S311 - spreads retries, guards nothing

Result = TypeVar("Result")


async def join(
    connection: Connection,
    subscription: Subscription,
    member: Member,
    tell: Callable[[str, str], None],
) -> Any:
    """Make a consumer for *member*, and again until one has joined; *tell* why none has yet."""
    ceiling = 1.0
    while True:
        consumer = build(connection, subscription)
        try:
            cause = await whole(subscribe(consumer, connection, subscription, member))
        except BaseException:
            await stop(consumer)
            raise
        if cause is None:
            return consumer
        tell("waiting_for_kafka", cause)
        await stop(consumer)
        await asyncio.sleep(DICE.uniform(0.2, ceiling))
        ceiling = min(LONGEST_BACKOFF, ceiling * 2)


async def subscribe(
    consumer: Any, connection: Connection, subscription: Subscription, member: Member
) -> str | None:
    """Connect and subscribe for *member*; return what stands against it, None when nothing does.

    A topic is looked for in the list of all topics before it is asked for, because asking may
    create it.
    """
    try:
        await consumer.start()
        there = await consumer.topics()
    except (KafkaError, OSError) as error:
        return await obstacle(connection) or type(error).__name__
    if missing := without(subscription, there):
        return missing
    serve_readers_first(consumer)
    hear(consumer, partial(member.renew, consumer))
    consumer.subscribe(list(subscription.topics), listener=Listener(member, consumer))
    return None


async def whole(work: Coroutine[Any, Any, Result]) -> Result:
    """Do *work* to its end, within `STOP_SECONDS`, even when cancelled: aiokafka forgets the
    connection over which it asks a first broker for the others when it is cut off there.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_SECONDS)
        task.cancel()
        raise
