"""Whatever becomes of a real topic or its broker, a member reads what there is."""

import asyncio
import os
import time

import pytest
from brokers import RealKafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from edge.hostile import until
from edge.members import member
from edge.raw_batches import Poison, batch, produce
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.record import Partition

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


async def publish(topic: Topic, *values: bytes, partition: int | None = None) -> None:
    """Write *values*."""
    messages = [Message(value=value, partition=partition) for value in values]
    await asyncio.to_thread(topic.produce, messages)


async def test_a_broker_that_is_killed_and_comes_back_costs_nothing(
    real_kafka: RealKafka, topic: Topic, group: str
) -> None:
    """Nothing is lost, nothing comes twice within an assignment, and commits count again."""
    await publish(topic, b"1", b"2", partition=0)
    async with (
        member(real_kafka.address, topic.name, group=group) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: len(reader.records) == 2, within=20)
        assert await reader.source.commit({Partition(topic.name, 0): 2})

        await asyncio.to_thread(real_kafka.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(real_kafka.start)
        await publish(topic, b"3", b"4", partition=0)
        await until(lambda: b"4" in reader.values(0), within=40)
        committed = await reader.source.commit({Partition(topic.name, 0): 4})
        running.cancel()

    assert reader.values(0) == [b"1", b"2", b"3", b"4"]
    assert committed
    assert (await asyncio.to_thread(topic.committed, group))[0].offset == 4


async def test_a_topic_that_is_made_again_is_read_from_its_begin(
    cluster: Cluster, group: str, admin: AdminClient
) -> None:
    """What was committed of the one before means nothing; and waiting for it costs little."""
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1)
    where = Partition(topic.name, 0)
    await publish(topic, *(b"old %d" % n for n in range(10)))
    async with (
        member(cluster.address, topic.name, group=group, metadata_seconds=1.0) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: len(reader.records) == 10, within=20)
        assert await reader.source.commit({where: 10})

        await asyncio.to_thread(admin.delete_topics([topic.name])[topic.name].result, 10)
        await until(lambda: reader.keeper.begun[-1] == {}, within=20)
        began = time.process_time()
        await asyncio.sleep(2)
        spent = time.process_time() - began
        await asyncio.to_thread(cluster.create_topic, topic.name, partitions=1)
        await publish(topic, b"new 0", b"new 1")
        await until(lambda: len(reader.records) == 12, within=40)
        running.cancel()

    assert reader.values(0)[10:] == [b"new 0", b"new 1"]
    assert reader.keeper.begun[-1] == {where: 0}
    assert spent < 0.5


async def test_records_that_are_deleted_are_counted(
    cluster: Cluster, topic: Topic, group: str, admin: AdminClient
) -> None:
    """Before they were read, while the group was away; what is left is read."""
    await publish(topic, *(b"%d" % n for n in range(10)), partition=0)
    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.joined()
        assert await reader.source.commit({Partition(topic.name, 0): 2})
    cut = TopicPartition(topic.name, 0, 7)
    await asyncio.to_thread(admin.delete_records([cut])[cut].result, 10)

    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.until(lambda: len(reader.records) == 3)

    assert reader.values(0) == [b"7", b"8", b"9"]
    assert reader.keeper.told("records_lost_to_retention") == [
        {"partition": f"{topic.name}/0", "count": 5}
    ]


async def test_a_record_larger_than_a_fetch_is_read(cluster: Cluster) -> None:
    """As large as its topic allows."""
    limit = {"max.message.bytes": "4000000"}
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1, config=limit)
    large = os.urandom(3_500_000)
    messages = [Message(value=value) for value in (b"1", large, b"2")]
    await asyncio.to_thread(topic.produce, messages, {"message.max.bytes": "4000000"})

    async with member(cluster.address, topic.name) as reader:
        await reader.until(lambda: len(reader.records) == 3)

    assert reader.values(0) == [b"1", large, b"2"]


async def test_a_header_that_is_no_text_is_read_all_the_same(
    cluster: Cluster, topic: Topic
) -> None:
    """No broker minds such a record, and our client cannot read it; only its name differs."""
    numbers = [b"%d" % n for n in range(1_000)]
    for partition in range(4):
        await publish(topic, *numbers, partition=partition)
    await produce(cluster.address, topic.name, 2, batch(b"bad", poison=Poison.HEADER))
    for partition in range(4):
        await publish(topic, b"last", partition=partition)

    async with member(cluster.address, topic.name) as reader:
        await reader.until(lambda: len(reader.records) >= 4_005)

    for partition in (0, 1, 3):
        assert reader.values(partition) == [*numbers, b"last"]
    assert reader.values(2) == [*numbers, b"bad", b"last"]
    ((name, value),) = reader.records_of(2)[-2].headers
    assert (name, value) == (r"\xff" * 10, b"x")
    (told,) = reader.keeper.told("partition_unreadable")
    assert (told["partition"], told["cause"]) == (f"{topic.name}/2", "UnicodeDecodeError")
