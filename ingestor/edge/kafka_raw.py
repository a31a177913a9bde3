"""Fetches the bytes of a partition as they are, each time over connections of its own: a fault on
the way is not there the next time, one on a disk is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest

from ingestor.core.batches.passage import Fetched
from ingestor.core.record import Partition
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_joining import whole

ANSWER_SECONDS = 10.0
_WAIT_MS, _LEAST_BYTES, _COMMITTED = 0, 1, 1
# From this version of the answer on, the bytes stand behind the replica that is preferred.
_WITH_REPLICA = 11


class RawReader:
    """Reads over *client*, which is connected."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def fetch(self, partition: Partition, offset: int, most_bytes: int) -> Fetched:
        """Fetch from *offset* on, at least one batch even if it is larger than *most_bytes*.

        Raises KafkaError for what the broker has against it, TimeoutError when it does not answer.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._client._wait_on_metadata(partition.topic)  # noqa: SLF001 - nothing public asks for a leader
            leader = self._client.cluster.leader_for_partition(TopicPartition(*partition))
            if leader is None or leader < 0:
                raise LeaderNotAvailableError
            wanted = [(partition.topic, [(partition.number, offset, most_bytes)])]
            request = FetchRequest(_WAIT_MS, _LEAST_BYTES, most_bytes, _COMMITTED, wanted)
            answer = await self._client.send(leader, request)
        ((_, ((_, code, highwater, stable, *more, raw),)),) = answer.topics
        if code:
            raise for_code(code)
        aborted = more[-2 if answer.API_VERSION >= _WITH_REPLICA else -1]
        end = stable if stable >= 0 else highwater
        return Fetched(partition, offset, end, raw or b"", tuple(aborted or ()))


@asynccontextmanager
async def raw_reader(connection: Connection) -> AsyncIterator[RawReader]:
    """Connect for as long as the block; raises KafkaError or OSError when that cannot be done."""
    client = AIOKafkaClient(**connection.options(), request_timeout_ms=int(ANSWER_SECONDS * 1000))
    try:
        await whole(client.bootstrap())
        yield RawReader(client)
    finally:
        await client.close()
