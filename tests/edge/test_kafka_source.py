"""A group member takes every record once and in order, and goes on where the group left off."""

import asyncio
from collections.abc import Collection
from uuid import uuid4

import pytest
from edge.members import Member, member
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.record import Partition
from ingestor.core.starts import Reset

pytestmark = pytest.mark.kafka


async def publish(topic: Topic, *values: str, partition: int = 0) -> None:
    """Write *values* to one partition."""
    messages = [Message(value=value.encode(), partition=partition) for value in values]
    await asyncio.to_thread(topic.produce, messages)


async def committed(topic: Topic, group: str) -> dict[int, int]:
    """Read what *group* committed, by partition."""
    found = await asyncio.to_thread(topic.committed, group)
    return {partition: place.offset for partition, place in found.items()}


def whole(topic: Topic, partitions: Collection[int] = range(4)) -> list[Partition]:
    """Name the partitions of *topic*."""
    return [Partition(topic.name, number) for number in partitions]


# Taking


async def test_records_are_taken_in_order(cluster: Cluster, topic: Topic) -> None:
    """Every one of them, once; those of a partition as they were written."""
    for partition in range(4):
        numbers = [f"{partition}-{number}" for number in range(700)]
        await publish(topic, *numbers, partition=partition)

    async with member(cluster.address, topic.name) as reader:
        await reader.until(lambda: len(reader.records) >= 2_800)

    for partition in range(4):
        expected = [f"{partition}-{number}".encode() for number in range(700)]
        assert reader.values(partition) == expected


async def test_a_record_is_taken_as_it_was_written(cluster: Cluster, topic: Topic) -> None:
    """With key, headers and timestamp; a tombstone has no value, and an empty text is none."""
    headers = (("h", b"\xff"), ("h", None), ("\u00fc", b""))
    messages = [
        Message(value=b"\x00\xff", key=b"k", headers=headers, partition=2),
        Message(value=None, key=b"k", partition=2),
        Message(value=b"", partition=2),
    ]
    await asyncio.to_thread(topic.produce, messages)
    stored = await asyncio.to_thread(topic.read_all)

    async with member(cluster.address, topic.name) as reader:
        await reader.until(lambda: len(reader.records) == 3)

    taken = [(it.key, it.value, it.headers, it.timestamp, it.offset) for it in reader.records]
    assert taken == [(it.key, it.value, it.headers, it.timestamp, it.offset) for it in stored]
    assert {it.origin for it in reader.records} == {Partition(topic.name, 2)}


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_is_read(cluster: Cluster, topic: Topic, codec: str) -> None:
    """A publisher may change to another one any day."""
    messages = [Message(value=b"x" * 2_000 + b"%d" % n, partition=0) for n in range(50)]
    await asyncio.to_thread(topic.produce, messages, {"compression.type": codec})

    async with member(cluster.address, topic.name) as reader:
        await reader.until(lambda: len(reader.records) == 50)

    assert reader.values(0) == [message.value for message in messages]


async def test_several_topics_are_read_together(cluster: Cluster, topic: Topic) -> None:
    """By one member of one group."""
    other = await asyncio.to_thread(cluster.create_topic, partitions=2)
    await publish(topic, "a")
    await publish(other, "b", partition=1)

    async with member(cluster.address, topic.name, other.name) as reader:
        await reader.until(lambda: len(reader.records) == 2)

    assert {(it.topic, it.value) for it in reader.records} == {
        (topic.name, b"a"),
        (other.name, b"b"),
    }
    assert len(reader.keeper.begun[0]) == 6


# Only what is asked for


async def test_only_what_is_asked_for_is_taken(cluster: Cluster, topic: Topic) -> None:
    """What there is no room for stays with the client and comes when it is asked for."""
    await publish(topic, "a", partition=0)
    await publish(topic, "b", partition=1)

    async with member(cluster.address, topic.name) as reader:
        await reader.joined()
        await reader.until(lambda: reader.records, whole(topic, [1]))
        await reader.take(whole(topic, [1]))
        assert [it.value for it in reader.records] == [b"b"]

        await reader.until(lambda: len(reader.records) == 2, whole(topic, [0]))
        assert reader.values(0) == [b"a"]


async def test_asked_for_nothing_it_takes_nothing_and_loses_nothing(
    cluster: Cluster, topic: Topic
) -> None:
    """Nor of what is not ours; afterwards everything comes, in order."""
    await publish(topic, *"abc")
    strangers = [Partition(topic.name, 99), Partition("no-such-topic", 0)]

    async with member(cluster.address, topic.name) as reader:
        await reader.joined()
        for wanted in [[], strangers] * 5:
            assert await reader.take(wanted) == []
        assert reader.keeper.ended == 1  # that of the first join, which ended nothing

        await reader.until(lambda: len(reader.records) == 3)
        assert reader.values(0) == [b"a", b"b", b"c"]


async def test_before_it_joined_it_takes_nothing(cluster: Cluster, topic: Topic) -> None:
    """Nothing is handed out of partitions that nobody was given."""
    await publish(topic, "a")

    async with member(cluster.address, topic.name) as reader:
        assert await reader.source.ends() == {}
        assert not await reader.source.commit({Partition(topic.name, 0): 1})
        assert await reader.take(whole(topic)) == []


# Beginning


@pytest.mark.parametrize(("reset", "start"), [(Reset.EARLIEST, 0), (Reset.LATEST, 3)])
async def test_a_new_group_begins_where_it_is_told(
    cluster: Cluster, topic: Topic, reset: Reset, start: int
) -> None:
    """And that is committed before anything is taken: a restart does not decide anew."""
    await publish(topic, *"abc")
    group = f"group-{uuid4().hex}"

    async with member(cluster.address, topic.name, group=group, reset=reset) as reader:
        starts = await reader.joined()
        assert starts == dict.fromkeys(whole(topic), 0) | {Partition(topic.name, 0): start}
        assert await committed(topic, group) == {0: start, 1: 0, 2: 0, 3: 0}
    await publish(topic, "d")

    other = Reset.LATEST if reset is Reset.EARLIEST else Reset.EARLIEST
    async with member(cluster.address, topic.name, group=group, reset=other) as reader:
        await reader.until(lambda: b"d" in reader.values(0))
    assert reader.values(0) == [b"a", b"b", b"c", b"d"][start:]


async def test_a_restart_goes_on_from_the_commit(cluster: Cluster, topic: Topic) -> None:
    """What was taken and not committed is taken again."""
    await publish(topic, *"abcde")
    group = f"group-{uuid4().hex}"
    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.until(lambda: len(reader.records) == 5)
        assert await reader.source.commit({Partition(topic.name, 0): 3})

    async with member(cluster.address, topic.name, group=group) as reader:
        assert (await reader.joined())[Partition(topic.name, 0)] == 3
        await reader.until(lambda: len(reader.records) == 2)

    assert reader.values(0) == [b"d", b"e"]
    assert await committed(topic, group) == {0: 3, 1: 0, 2: 0, 3: 0}


async def test_a_commit_names_only_what_is_ours(cluster: Cluster, topic: Topic) -> None:
    """Of the rest nothing is acknowledged; an assignment may have ended meanwhile."""
    group = f"group-{uuid4().hex}"
    ours, other = Partition(topic.name, 1), Partition(topic.name, 99)
    await publish(topic, *"abc", partition=1)

    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.joined()
        assert not await reader.source.commit({other: 1})
        assert not await reader.source.commit({})
        assert not await reader.source.commit({ours: 2, other: 1})

    assert (await committed(topic, group))[1] == 2


async def test_the_ends_are_asked_of_the_broker(cluster: Cluster, topic: Topic) -> None:
    """Also of partitions that are not being read: they have a backlog all the same."""
    await publish(topic, *"abc", partition=3)

    async with member(cluster.address, topic.name) as reader:
        await reader.joined()
        ends = await reader.source.ends()

    assert ends == dict(zip(whole(topic), (0, 0, 0, 3), strict=True))


# Leaving


async def test_a_closed_source_owns_nothing(cluster: Cluster, topic: Topic) -> None:
    """Whoever still asks gets nothing, and closing it again does nothing."""
    async with member(cluster.address, topic.name) as reader:
        await reader.joined()
        await reader.source.close()

        assert await reader.source.ends() == {}
        assert not await reader.source.commit({Partition(topic.name, 0): 1})
        await reader.source.close()


async def test_a_cancelled_take_loses_nothing(cluster: Cluster, topic: Topic) -> None:
    """Wherever it is cancelled: while it joins, while it waits, or when records are there."""
    await publish(topic, *map(str, range(300)))

    # The embedded broker waits for the session of each member that was cut off, one by one.
    async with member(cluster.address, topic.name, session_seconds=6.0) as reader:
        for pause in [0.0, 0.001, 0.01, 0.05, 0.2] * 3:
            async with asyncio.TaskGroup() as tasks:
                taking = tasks.create_task(reader.take())
                await asyncio.wait([taking], timeout=pause)
                taking.cancel()
        await reader.until(lambda: len(reader.records) >= 300)

    assert reader.values(0) == [str(number).encode() for number in range(300)]


async def test_cancelled_while_it_joins_it_leaves_nothing_open(
    cluster: Cluster, topic: Topic
) -> None:
    """A client that nobody stops would warn of it, and keep its connections."""
    reader: Member
    async with member(cluster.address, topic.name) as reader, asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(reader.take())
        await asyncio.sleep(0)
        taking.cancel()

    assert taking.cancelled()
