"""A topic of two partitions on the embedded broker, and a group of one that reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from edge.members import Member, member
from edge.raw_batches import batch, produce

from ingestor.core.record import Partition
from ingestor.devkit.embedded_broker import EmbeddedBroker

# A rebalance of this broker takes the session less a second.
SESSION_SECONDS = 2.0
GROUP = "group"
FIRST, SECOND = Partition("calls", 0), Partition("calls", 1)


async def publish(broker: EmbeddedBroker, where: Partition, *values: bytes, **more: Any) -> None:
    """Append one batch of *values*."""
    await produce(broker.bootstrap_servers, *where, batch(*values, **more))


@asynccontextmanager
async def reader_of(broker: EmbeddedBroker, *topics: str) -> AsyncIterator[Member]:
    """Be the only member of the group."""
    async with member(
        broker.bootstrap_servers,
        *(topics or ("calls",)),
        group=GROUP,
        session_seconds=SESSION_SECONDS,
    ) as reader:
        yield reader


def numbers(*values: int) -> list[bytes]:
    """Write numbers as values."""
    return [b"%d" % value for value in values]
