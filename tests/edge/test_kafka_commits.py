"""A commit carries what is finished beyond the offset, as long as the broker takes it."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition
from brokers import RealKafka
from edge.embedded import FIRST, SECOND, numbers, publish, reader_of
from edge.hostile import until
from edge.members import member
from kafka.cluster import Cluster, Topic
from kafka.jars import fetch

from ingestor.core.memo import MOST_CHARACTERS, Memo, Stretch, read, write
from ingestor.core.record import Partition
from ingestor.devkit.embedded_broker import Api, EmbeddedBroker

NOW = 1_781_108_062_500
TOO_LONG = 12
REBALANCING = 27


def memo(stretches: int = 1, base: int = 0) -> Memo:
    """Make a memo of so many stretches."""
    begins = range(base + 1, base + 1 + 3 * stretches, 3)
    return Memo(base, tuple(Stretch(begin, NOW + begin, begin + 2) for begin in begins))


# On a real Kafka


@pytest.mark.kafka
async def test_a_memo_survives_a_restart(cluster: Cluster, topic: Topic, group: str) -> None:
    """Each partition has its own, the longest of 4,096 characters; without one there is none."""
    names = [Partition(topic.name, number) for number in range(4)]
    offsets = dict(zip(names, (0, 7, 0, 0), strict=True))
    memos = {names[0]: memo(), names[1]: memo(40, base=7), names[2]: memo(2_000)}
    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.joined()
        assert await reader.source.commit(offsets, memos)

    async with member(cluster.address, topic.name, group=group) as reader:
        await reader.joined()
        found = reader.keeper.memos

    assert [found[name] for name in (names[0], names[3])] == [memo(), None]
    # It is beyond the end of its partition, where nothing says that this is still the same topic.
    assert found[names[1]] is None
    stored = (await asyncio.to_thread(topic.committed, group))[2].metadata
    assert MOST_CHARACTERS - 4 <= len(stored) <= MOST_CHARACTERS
    assert found[names[2]] == read(stored, 0)


@pytest.mark.system
@pytest.mark.timeout(90)
async def test_a_memo_survives_a_rebalance(cluster: Cluster, topic: Topic, group: str) -> None:
    """Whoever gets the partition gets it."""
    names = [Partition(topic.name, number) for number in range(4)]
    memos = {name: memo(1 + name.number) for name in names}
    async with (
        member(cluster.address, topic.name, group=group) as first,
        member(cluster.address, topic.name, group=group) as second,
        asyncio.TaskGroup() as tasks,
    ):
        one = tasks.create_task(first.run())
        await until(lambda: len(first.keeper.owned) == 4, within=30)

        async def commit() -> None:
            await first.source.commit(dict.fromkeys(names, 0), memos)

        first.keeper.ending = commit
        other = tasks.create_task(second.run())
        await until(lambda: len(first.keeper.owned) == len(second.keeper.owned) == 2, within=30)
        first.keeper.ending = None
        one.cancel()
        other.cancel()

    assert {**first.keeper.memos, **second.keeper.memos} == memos


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker that takes sixteen characters with an offset."""
    limit = {"offset.metadata.max.bytes": "16"}
    with RealKafka(
        tmp_path_factory.mktemp("sparing"), fetch(os.environ), properties=limit
    ) as kafka:
        yield Cluster(kafka.address)


@pytest.mark.system
@pytest.mark.timeout(90)
async def test_a_broker_that_takes_less_gets_the_offset_alone(sparing: Cluster, group: str) -> None:
    """Of every partition, at once; and it is not asked again and again."""
    topic = await asyncio.to_thread(sparing.create_topic, partitions=2)
    names = [Partition(topic.name, number) for number in range(2)]
    async with member(sparing.address, topic.name, group=group) as reader:
        await reader.joined()
        for offset in range(10):
            offsets = {names[0]: offset, names[1]: 0}
            assert await reader.source.commit(offsets, {names[0]: memo(20, base=offset)})

    found = await asyncio.to_thread(topic.committed, group)
    assert {number: (it.offset, it.metadata) for number, it in found.items()} == {
        0: (9, ""),
        1: (0, ""),
    }
    told = reader.keeper.told("memo_too_long")
    assert 1 <= len(told) <= 4
    assert reader.keeper.told("commit_refused") == []


# On the embedded one


async def test_a_memo_that_is_too_long_is_left_out(broker: EmbeddedBroker) -> None:
    """The offset goes out again at once without it; the next memo says only half as much."""
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.OFFSET_COMMIT, [TOO_LONG])

        assert await reader.source.commit({FIRST: 0, SECOND: 0}, {FIRST: memo(100)})
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.keeper.begun) == 2, ())
        assert reader.keeper.memos == {FIRST: None, SECOND: None}

        assert await reader.source.commit({FIRST: 0, SECOND: 0}, {FIRST: memo(100)})
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.keeper.begun) == 3, ())

    length = len(write(memo(100)))
    assert reader.keeper.memos == {FIRST: read(write(memo(100), length // 2), 0), SECOND: None}
    assert reader.keeper.changes == [("memo_too_long", {"characters": length})]


async def test_a_refusal_of_the_offset_alone_is_a_refusal(broker: EmbeddedBroker) -> None:
    """Nobody asks a third time: it is part of the next commit."""
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.OFFSET_COMMIT, [TOO_LONG, REBALANCING])

        assert not await reader.source.commit({FIRST: 0}, {FIRST: memo()})

    assert [event for event, _ in reader.keeper.changes] == ["memo_too_long", "commit_refused"]


@pytest.mark.parametrize(
    ("offset", "text"),
    [(0, "2" + write(memo())[1:]), (0, "by hand, at ten"), (1, write(memo()))],
    ids=["another version", "another client", "another offset"],
)
async def test_metadata_that_is_not_ours_is_no_memo(
    broker: EmbeddedBroker, offset: int, text: str
) -> None:
    """Whoever commits for the group may write what he likes."""
    await publish(broker, FIRST, *numbers(0, 1))
    async with reader_of(broker) as reader:
        await reader.joined()
        consumer = reader.source._consumer  # noqa: SLF001 - commits what the source would not
        await consumer.commit({TopicPartition(*FIRST): (offset, text)})
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.keeper.begun) == 2, ())

    assert reader.keeper.begun[-1][FIRST] == offset
    assert reader.keeper.memos[FIRST] is None


async def test_a_start_that_the_commit_does_not_tell_is_committed_at_once(
    broker: EmbeddedBroker,
) -> None:
    """The offset belongs to a topic that was there before. When this one has grown beyond it a
    restart would believe it, and skip all that was not posted yet.
    """
    await publish(broker, FIRST, *numbers(0, 1, 2))
    async with reader_of(broker) as reader:
        await reader.joined()
        assert await reader.source.commit({FIRST: 5})
    async with reader_of(broker) as reader:
        assert (await reader.joined())[FIRST] == 0
    await publish(broker, FIRST, *numbers(3, 4, 5, 6))

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 7)

    assert reader.values(0) == numbers(*range(7))
