"""Whatever becomes of a real topic or its broker, a member reads what there is."""

import asyncio
import os
import time

import pytest
from brokers import RealKafka
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions
from edge.hostile import until
from edge.members import member
from edge.raw_batches import Poison, batch, produce
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.record import Partition
from ingestor.core.starts import Reset

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


async def publish(topic: Topic, *values: bytes, partition: int | None = None) -> None:
    """Write *values*."""
    messages = [Message(value=value, partition=partition) for value in values]
    await asyncio.to_thread(topic.produce, messages)


@pytest.mark.parametrize("seconds", [1.0, 12.0])
async def test_a_broker_that_is_killed_and_comes_back_costs_nothing(
    real_kafka: RealKafka, topic: Topic, group: str, seconds: float
) -> None:
    """Nothing is lost, nothing comes twice, and commits count again: also after more time than a
    session lasts, since a broker that was away does not know of it.
    """
    await publish(topic, b"1", b"2", partition=0)
    async with (
        member(real_kafka.address, topic.name, group=group) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: len(reader.records) == 2, within=20)
        assert await reader.source.commit({Partition(topic.name, 0): 2})

        await asyncio.to_thread(real_kafka.kill)
        await asyncio.sleep(seconds)  # the outage
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
        await asyncio.sleep(2)  # what is measured
        spent = time.process_time() - began
        await asyncio.to_thread(cluster.create_topic, topic.name, partitions=1)
        await publish(topic, b"new 0", b"new 1")
        await until(lambda: len(reader.records) == 12, within=40)
        running.cancel()

    assert reader.values(0)[10:] == [b"new 0", b"new 1"]
    assert reader.keeper.begun[-1] == {where: 0}
    assert spent < 0.5


@pytest.mark.parametrize("reset", Reset)
async def test_a_topic_that_is_made_again_at_once_is_read_from_its_begin(
    cluster: Cluster, group: str, admin: AdminClient, reset: Reset
) -> None:
    """With more records than the one before had: none of them hides behind the old offset, nor
    behind a wish for the latest, which was about another topic.
    """
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1)
    where = Partition(topic.name, 0)
    new = [b"new %d" % n for n in range(30)]
    async with (
        member(
            cluster.address, topic.name, group=group, reset=reset, metadata_seconds=1.0
        ) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.owned, within=20)
        await publish(topic, *(b"old %d" % n for n in range(10)))
        await until(lambda: len(reader.records) == 10, within=20)
        assert await reader.source.commit({where: 10})

        await asyncio.to_thread(admin.delete_topics([topic.name])[topic.name].result, 10)
        await asyncio.to_thread(cluster.create_topic, topic.name, partitions=1)
        await publish(topic, *new)
        await until(lambda: new[-1] in reader.values(0), within=40)
        running.cancel()

    assert reader.values(0)[10:] == new


async def test_a_topic_that_is_deleted_is_waited_for(
    cluster: Cluster, topic: Topic, group: str, admin: AdminClient
) -> None:
    """Which is said once; what there is of other topics is read on."""
    other = await asyncio.to_thread(cluster.create_topic, partitions=1)
    async with (
        member(
            cluster.address, topic.name, other.name, group=group, metadata_seconds=1.0
        ) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: len(reader.keeper.owned) == 5, within=20)
        await asyncio.to_thread(admin.delete_topics([topic.name])[topic.name].result, 10)
        await until(lambda: reader.keeper.told("waiting_for_kafka"), within=20)
        await publish(other, b"1")
        await until(lambda: reader.records, within=20)
        running.cancel()

    assert reader.keeper.changes == [("waiting_for_kafka", {"cause": f"no topic {topic.name}"})]


@pytest.mark.parametrize("reset", Reset)
async def test_partitions_that_a_topic_gains_are_read_from_their_begin(
    cluster: Cluster, topic: Topic, group: str, admin: AdminClient, reset: Reset
) -> None:
    """However late they are discovered, and whether or not anybody was there."""
    async with (
        member(
            cluster.address, topic.name, group=group, reset=reset, metadata_seconds=1.0
        ) as reader,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.owned, within=20)
        await gain(admin, topic, 6)
        await publish(topic, b"while we read", partition=5)
        await until(lambda: reader.records, within=20)
        running.cancel()
    await gain(admin, topic, 7)
    await publish(topic, b"while we were away", partition=6)

    async with member(cluster.address, topic.name, group=group, reset=reset) as later:
        await later.until(lambda: later.values(6))

    assert reader.values(5) == [b"while we read"]
    assert reader.keeper.begun[-1][Partition(topic.name, 5)] == 0
    assert later.values(6) == [b"while we were away"]


async def gain(admin: AdminClient, topic: Topic, count: int) -> None:
    """Have *topic* grow to *count* partitions, and wait until they may be written."""
    await asyncio.to_thread(
        admin.create_partitions([NewPartitions(topic.name, count)])[topic.name].result, 10
    )

    def has_grown() -> bool:
        return len(topic.cluster.partitions(topic.name)) == count

    async with asyncio.timeout(10):
        while not await asyncio.to_thread(has_grown):  # noqa: ASYNC110 - the cluster does not tell us
            await asyncio.sleep(0.05)


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
    assert reader.keeper.gone == [(Partition(topic.name, 0), 2, 6)]


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
