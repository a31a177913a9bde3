"""A source and a dead-letter topic on the broker of the run, for the contracts; between them and
the broker there is a network that can fail.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

from edge.altering import altering
from edge.members import Member
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.letter import Letter
from ingestor.core.memo import Memo
from ingestor.core.record import Header, Partition
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.kafka_letters import KafkaLetters
from ingestor.edge.kafka_source import KafkaSource

# Of this broker nothing takes longer.
ANSWER_SECONDS = 2.0


class Network:
    """What the broker says is passed on as it is, or, while the network is *broken*, lost with its
    connection.
    """

    def __init__(self) -> None:
        self._is_broken = False

    def __call__(self, _answer: bytearray) -> None:
        """Pass on an answer of the broker."""
        if self._is_broken:
            raise ConnectionResetError

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Have it fail as long as the block."""
        self._is_broken = True
        try:
            yield
        finally:
            self._is_broken = False


class KafkaSourceDesk:
    """A member of a group of one, and the topic that it owns."""

    def __init__(self, topic: Topic, address: str, network: Network) -> None:
        self.partitions = (Partition(topic.name, 0), Partition(topic.name, 1))
        self._topic = topic
        self._connection = Connection(address, "test")
        self._subscription = Subscription((topic.name,), f"group-{uuid4().hex}")
        self._network = network
        self.member = Member(self._connection, self._subscription)

    @property
    def source(self) -> KafkaSource:
        """Its source."""
        return self.member.source

    async def publish(
        self,
        partition: Partition,
        *values: bytes | None,
        key: bytes | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        """Write *values*."""
        messages = [
            Message(value=value, key=key, headers=headers, partition=partition.number)
            for value in values
        ]
        await asyncio.to_thread(self._topic.produce, messages)

    async def succeed(self) -> Mapping[Partition, Memo | None]:
        """Leave the group, and have another join it."""
        await self.source.close()
        self.member = Member(self._connection, self._subscription)
        await self.member.joined()
        return self.member.keeper.memos

    @asynccontextmanager
    async def deaf(self) -> AsyncIterator[None]:
        """Lose every answer of the broker."""
        with self._network.broken():
            yield


class KafkaLettersDesk:
    """A dead-letter topic of one partition, so that it has an order."""

    def __init__(self, topic: Topic, letters: KafkaLetters, network: Network) -> None:
        self.letters = letters
        self._topic = topic
        self._network = network

    async def written(self) -> Sequence[Letter]:
        """Read it all."""
        stored = await asyncio.to_thread(self._topic.read_all)
        return [Letter(it.key, it.value, it.headers) for it in stored]

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[None]:
        """Lose every answer of the broker."""
        with self._network.broken():
            yield


@asynccontextmanager
async def kafka_source_desk(cluster: Cluster) -> AsyncIterator[KafkaSourceDesk]:
    """Open a source on *cluster* that owns a new topic."""
    topic, network = await asyncio.to_thread(cluster.create_topic, partitions=2), Network()
    async with altering(cluster.address, network) as address:
        desk = KafkaSourceDesk(topic, address, network)
        try:
            await desk.member.joined()
            yield desk
        finally:
            await desk.source.close()


@asynccontextmanager
async def kafka_letters_desk(cluster: Cluster) -> AsyncIterator[KafkaLettersDesk]:
    """Open what writes letters to a new topic of *cluster*."""
    topic, network = await asyncio.to_thread(cluster.create_topic, partitions=1), Network()
    async with altering(cluster.address, network) as address:
        connection = Connection(address, "test")
        letters = KafkaLetters(connection, topic.name, answer_seconds=ANSWER_SECONDS)
        try:
            yield KafkaLettersDesk(topic, letters, network)
        finally:
            await letters.close()
