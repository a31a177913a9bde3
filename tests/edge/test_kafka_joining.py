"""A member joins as soon as it can, and says what it waits for."""

import asyncio

from edge.hostile import Peer, serving, until

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.kafka_joining import join


class Nobody:
    """A member that is told of no rebalance."""

    async def revoke(self, consumer: object) -> None:
        """Give nothing up."""

    def assign(self, consumer: object, partitions: object) -> None:
        """Take nothing."""

    def renew(self, consumer: object, age: float) -> None:
        """Believe nothing."""


async def test_why_it_has_not_joined_yet_is_told_at_every_try() -> None:
    """Whoever listens tells it on as often as it likes; the tries are further and further apart."""
    told: list[tuple[str, str]] = []

    async def hang_up(_: Peer) -> None:
        pass

    async with serving(hang_up) as server, asyncio.TaskGroup() as tasks:
        connection = Connection(f"127.0.0.1:{server.port}", "test")
        joining = tasks.create_task(
            join(
                connection,
                Subscription(("calls",), "group"),
                Nobody(),
                lambda event, cause: told.append((event, cause)),
            )
        )
        await until(lambda: len(told) >= 3)
        joining.cancel()

    assert set(told) == {("waiting_for_kafka", "KafkaConnectionError")}
    # One connection to join by, and one to find out why that failed.
    assert server.opened <= 2 * (len(told) + 1)
