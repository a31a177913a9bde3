"""Letters are read to the end, whatever stands between them, and nobody knows of the reader."""

import asyncio
from contextlib import aclosing

import pytest
from confluent_kafka import Producer
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.letter import Letter
from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letter_reader import NotReadError, read_letters


async def read(address: str, topic: str) -> list[Letter]:
    """Read all letters of *topic*."""
    async with aclosing(read_letters(Connection(address, "test"), topic)) as letters:
        return [letter async for letter in letters]


async def test_no_broker_is_a_reason_not_to_read() -> None:
    """By its name."""
    with pytest.raises(NotReadError, match="KafkaConnectionError"):
        await read("127.0.0.1:1", "letters")


async def test_a_topic_is_not_made_by_reading_it(broker: EmbeddedBroker) -> None:
    """This broker would."""
    with pytest.raises(NotReadError, match="topic other does not exist, or may not be seen"):
        await read(broker.bootstrap_servers, "other")


@pytest.mark.kafka
async def test_every_letter_of_every_partition_is_read(cluster: Cluster, topic: Topic) -> None:
    """As it is stored: key, value and headers; partitions that hold none are passed."""
    headers = (("own", b"\xff"), ("none", None))
    messages = [
        Message(value=b"%d" % n, key=b"k", headers=headers, partition=1 + n % 2) for n in range(500)
    ]
    await asyncio.to_thread(topic.produce, messages)

    letters = await read(cluster.address, topic.name)

    assert sorted(int(it.value or b"") for it in letters) == list(range(500))
    assert {(it.key, it.headers) for it in letters} == {(b"k", headers)}


@pytest.mark.system
async def test_what_transactions_leave_does_not_keep_it_from_the_end(cluster: Cluster) -> None:
    """The last offset of a partition may be nobody's; what was aborted is not there."""
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1)

    def transact() -> None:
        producer = Producer(
            {"bootstrap.servers": cluster.address, "transactional.id": topic.name, "log_level": 0}
        )
        producer.init_transactions(10)
        for value, finish in (
            (b"1", producer.commit_transaction),
            (b"2", producer.abort_transaction),
        ):
            producer.begin_transaction()
            producer.produce(topic.name, value)
            producer.flush(10)
            finish(10)

    await asyncio.to_thread(transact)

    async with asyncio.timeout(15):
        letters = await read(cluster.address, topic.name)

    assert [letter.value for letter in letters] == [b"1"]
