"""What every source must do: hand out each record once and in order, and keep what was committed.

It runs on the fake and on Kafka.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

import pytest
from contracts.kafka_desks import kafka_source_desk
from fakes import FakeSource
from kafka.cluster import Cluster

from ingestor.core.memo import Memo, Stretch
from ingestor.core.record import Header, Partition, Record
from ingestor.edge.clock import SystemClock
from ingestor.flow.ports import Source

# A group needs a moment to come to terms.
PATIENCE = 25


class Desk(Protocol):
    """A source that owns the two partitions of a topic, empty at first, and what a test needs
    beside it.
    """

    @property
    def source(self) -> Source:
        """The source."""
        ...

    @property
    def partitions(self) -> tuple[Partition, Partition]:
        """What it owns."""
        ...

    async def publish(
        self,
        partition: Partition,
        *values: bytes | None,
        key: bytes | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        """Append *values*, each with the same *key* and *headers*."""
        ...

    async def succeed(self) -> Mapping[Partition, Memo | None]:
        """Replace the source by a new one of the same group, and wait until it owns everything;
        return the memos that it found.
        """
        ...

    def deaf(self) -> AbstractAsyncContextManager[None]:
        """Have the broker acknowledge no commit as long as the block."""
        ...


Opening: TypeAlias = Callable[[Cluster], AbstractAsyncContextManager[Desk]]


class FakeDesk:
    """The fake, with records that are made here."""

    def __init__(self) -> None:
        self.source = FakeSource(SystemClock(), moment=0.01)
        self.partitions = (Partition("calls", 0), Partition("calls", 1))
        self._ends = dict.fromkeys(self.partitions, 0)
        self.source.join(*self.partitions)

    async def publish(
        self,
        partition: Partition,
        *values: bytes | None,
        key: bytes | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        """Make records of *values*."""
        for value in values:
            offset = self._ends[partition]
            self._ends[partition] += 1
            self.source.publish(Record(partition, offset, 1, key, value, headers))

    async def succeed(self) -> Mapping[Partition, Memo | None]:
        """Read from what is committed."""
        starts = self.source.join(*self.partitions)
        return {name: start.memo for name, start in starts.items()}

    @asynccontextmanager
    async def deaf(self) -> AsyncIterator[None]:
        """Refuse commits."""
        self.source.refuse(1_000)
        try:
            yield
        finally:
            self.source.refuse(0)


@asynccontextmanager
async def fake_desk(_cluster: Cluster) -> AsyncIterator[Desk]:
    """Open the fake."""
    yield FakeDesk()


@asynccontextmanager
async def kafka_desk(cluster: Cluster) -> AsyncIterator[Desk]:
    """Open the real one."""
    async with kafka_source_desk(cluster) as desk:
        yield desk


@pytest.fixture(params=[fake_desk, kafka_desk], ids=lambda opening: opening.__name__)
async def desk(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[Desk]:
    """One of them after the other."""
    opening: Opening = request.param
    async with opening(cluster) as opened:
        yield opened


MOST = 500


async def read(desk: Desk, number: int, partitions: Collection[Partition] = ()) -> list[Record]:
    """Take *number* records of *partitions*, of all when none is named."""
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        while len(records) < number:
            records += await desk.source.take(partitions or desk.partitions, MOST)
    return records


async def pause(desk: Desk, partitions: Collection[Partition]) -> list[Record]:
    """Take of *partitions* a few times; return what came."""
    async with asyncio.timeout(PATIENCE):
        return [it for _ in range(5) for it in await desk.source.take(partitions, MOST)]


def offsets(records: Sequence[Record], partition: Partition) -> list[int]:
    """List the offsets of what came from *partition*."""
    return [record.offset for record in records if record.origin == partition]


async def test_records_come_once_and_in_order(desk: Desk) -> None:
    """Those of one partition; between partitions there is no order."""
    first, second = desk.partitions
    await desk.publish(first, *(b"%d" % number for number in range(1_200)))
    await desk.publish(second, *(b"%d" % number for number in range(10)))

    records = await read(desk, 1_210)

    assert offsets(records, first) == list(range(1_200))
    assert offsets(records, second) == list(range(10))
    assert await pause(desk, desk.partitions) == []


async def test_no_more_records_come_than_were_asked_for(desk: Desk) -> None:
    """They may be large, and the room for them nearly full; the rest comes the next time."""
    first, _ = desk.partitions
    await desk.publish(first, *(b"%d" % number for number in range(20)))

    batches: list[Sequence[Record]] = []
    async with asyncio.timeout(PATIENCE):
        while sum(map(len, batches)) < 20:
            batches.append(await desk.source.take(desk.partitions, 3))

    assert max(map(len, batches)) <= 3
    assert offsets([it for batch in batches for it in batch], first) == list(range(20))


async def test_a_record_is_handed_out_as_it_was_published(desk: Desk) -> None:
    """Its key, its value, and its headers with their repetitions."""
    headers: tuple[Header, ...] = (("a", b"1"), ("b", None), ("a", b"\xff"))
    await desk.publish(desk.partitions[0], b'{"a": 1}', key=b"key", headers=headers)

    (record,) = await read(desk, 1)

    assert (record.topic, record.partition, record.offset) == (*desk.partitions[0], 0)
    assert (record.key, record.value, record.headers) == (b"key", b'{"a": 1}', headers)
    assert record.timestamp > 0


async def test_a_tombstone_is_a_record_without_a_value(desk: Desk) -> None:
    """Which is something else than an empty one."""
    await desk.publish(desk.partitions[0], None, b"", key=b"key")

    assert [record.value for record in await read(desk, 2)] == [None, b""]


async def test_only_what_is_asked_for_is_handed_out(desk: Desk) -> None:
    """The rest stays where it is, and comes when it is asked for: there was no room for it."""
    first, second = desk.partitions
    await desk.publish(first, b"1", b"2")
    await desk.publish(second, b"3", b"4")

    taken = await read(desk, 2, [second])
    assert offsets(taken, second) == [0, 1]
    assert await pause(desk, [second]) == []

    assert offsets(await read(desk, 2, [first]), first) == [0, 1]


async def test_asked_for_nothing_it_comes_back_with_nothing(desk: Desk) -> None:
    """So that the membership is kept, and no record is lost by it."""
    await desk.publish(desk.partitions[0], b"1")

    assert await pause(desk, ()) == []
    assert len(await read(desk, 1)) == 1


async def test_asked_for_what_is_not_ours_it_comes_back_with_nothing(desk: Desk) -> None:
    """A rebalance may be faster than whoever asks."""
    assert await pause(desk, [Partition("calls", 99), Partition("no such topic", 0)]) == []


async def test_without_records_it_comes_back_with_nothing(desk: Desk) -> None:
    """After a moment: whoever takes must see that there is room, or none, again."""
    assert await pause(desk, desk.partitions) == []


async def test_new_records_end_the_wait(desk: Desk) -> None:
    """They are handed out when they come."""
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(desk, 1))
        await asyncio.sleep(0)
        await desk.publish(desk.partitions[0], b"1")

    assert len(reading.result()) == 1


async def test_a_cancelled_take_loses_nothing(desk: Desk) -> None:
    """The record comes next time, whenever it arrived."""
    async with asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(desk.source.take(desk.partitions, MOST))
        await asyncio.sleep(0)
        await desk.publish(desk.partitions[0], b"1")
        taking.cancel()

    taken = [] if taking.cancelled() else list(taking.result())
    assert len(taken + await read(desk, 1 - len(taken))) == 1


async def test_a_successor_begins_at_what_was_committed(desk: Desk) -> None:
    """Partition by partition; what was not committed comes again."""
    first, second = desk.partitions
    await desk.publish(first, b"1", b"2", b"3")
    await desk.publish(second, b"4", b"5")
    await read(desk, 5)

    assert await desk.source.commit({first: 2, second: 1})
    await desk.succeed()

    records = await read(desk, 2)
    assert (offsets(records, first), offsets(records, second)) == ([2], [1])


async def test_what_was_taken_and_not_committed_comes_again(desk: Desk) -> None:
    """Taking is not finishing."""
    await desk.publish(desk.partitions[0], b"1", b"2")
    await read(desk, 2)

    await desk.succeed()

    assert offsets(await read(desk, 2), desk.partitions[0]) == [0, 1]


async def test_a_commit_that_is_not_acknowledged_is_told_and_not_raised(desk: Desk) -> None:
    """And the next one is, without anybody's help."""
    partition = desk.partitions[0]
    await desk.publish(partition, b"1", b"2")
    await read(desk, 2)
    async with desk.deaf():
        assert not await desk.source.commit({partition: 1})

    async with asyncio.timeout(PATIENCE):
        while not await desk.source.commit({partition: 2}):
            await desk.source.take(desk.partitions, MOST)
    await desk.publish(partition, b"3")
    await desk.succeed()

    assert offsets(await read(desk, 1), partition) == [2]


async def test_a_commit_of_what_is_not_ours_is_told_and_not_raised(desk: Desk) -> None:
    """It belongs to somebody else by now; what is ours is committed all the same."""
    partition, stranger = desk.partitions[0], Partition("calls", 99)
    await desk.publish(partition, b"1", b"2")
    await read(desk, 2)

    assert not await desk.source.commit({stranger: 5})
    assert not await desk.source.commit({partition: 1, stranger: 5})
    await desk.succeed()

    assert offsets(await read(desk, 1), partition) == [1]


async def test_a_memo_is_kept_with_the_offset(desk: Desk) -> None:
    """As long as nothing is committed after it: a commit without one leaves none."""
    first, second = desk.partitions
    await desk.publish(first, b"1", b"2", b"3")
    await desk.publish(second, b"4", b"5")
    await read(desk, 5)
    memos = {name: Memo(0, (Stretch(1, 1, 2),)) for name in desk.partitions}

    assert await desk.source.commit({first: 0, second: 0}, memos)
    assert await desk.succeed() == memos
    assert await desk.source.commit({first: 0})

    assert await desk.succeed() == {first: None, second: memos[second]}


async def test_the_ends_are_one_past_the_last_record(desk: Desk) -> None:
    """Of every partition that is ours, read or not."""
    first, second = desk.partitions
    await desk.publish(first, b"1", b"2")

    assert await desk.source.ends() == {first: 2, second: 0}
