"""A group of members shares a real topic, whoever comes and goes."""

import asyncio
import itertools
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from edge.hostile import until
from edge.members import Member, member
from kafka.cluster import Cluster, Message, Topic

from ingestor.core.record import Partition
from ingestor.edge.kafka_fence import FencedError

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

TESTS = Path(__file__).parents[1]


async def publish(topic: Topic, *values: bytes, partition: int | None = None) -> None:
    """Write *values*."""
    messages = [Message(value=value, partition=partition) for value in values]
    await asyncio.to_thread(topic.produce, messages)


def finishing(reader: Member) -> None:
    """Have *reader* finish all it took, and commit it when the assignment ends."""

    async def commit() -> None:
        taken = reader.records[reader.keeper.taken[-1] :] if reader.keeper.taken else []
        offsets = {record.origin: record.offset + 1 for record in taken}
        if offsets:
            await reader.source.commit(offsets)

    reader.keeper.ending = commit


def assert_once_in_order(reader: Member) -> None:
    """Check that each assignment handed out what it did in order and once."""
    cuts = [*reader.keeper.taken, len(reader.records)]
    for start, end in itertools.pairwise(cuts):
        by_partition: dict[Partition, list[int]] = {}
        for record in reader.records[start:end]:
            by_partition.setdefault(record.origin, []).append(record.offset)
        for offsets in by_partition.values():
            assert offsets == sorted(set(offsets))


# Coming and going


async def test_nothing_is_lost_when_members_come_and_go(
    cluster: Cluster, topic: Topic, group: str
) -> None:
    """Nor handed out twice within an assignment, while events keep coming."""
    published: list[bytes] = []

    async def keep_publishing() -> None:
        for number in itertools.count():
            values = [b"%d-%d" % (number, n) for n in range(20)]
            await publish(topic, *values)
            published.extend(values)

    async with (
        member(cluster.address, topic.name, group=group) as first,
        member(cluster.address, topic.name, group=group) as second,
        asyncio.TaskGroup() as tasks,
    ):
        for reader in (first, second):
            finishing(reader)
        publishing = tasks.create_task(keep_publishing())
        one = tasks.create_task(first.run())
        await until(lambda: len(first.records) > 100, within=20)
        other = tasks.create_task(second.run())
        await until(lambda: len(first.keeper.owned) == len(second.keeper.owned) == 2, within=30)
        await until(lambda: second.records, within=20)

        other.cancel()
        await asyncio.wait([other])
        await second.keeper.end()
        await second.source.close()
        await until(lambda: len(first.keeper.owned) == 4, within=30)
        publishing.cancel()
        await asyncio.wait([publishing])
        taken = Counter[bytes | None]()

        def is_all_taken() -> bool:
            taken.clear()
            taken.update(record.value for record in first.records + second.records)
            return taken.keys() >= set(published)

        await until(is_all_taken, within=30)
        one.cancel()

    for reader in (first, second):
        assert_once_in_order(reader)
    assert sum(taken.values()) == len(taken)  # every assignment committed what it had taken


async def test_whoever_closes_leaves_at_once(cluster: Cluster, topic: Topic, group: str) -> None:
    """The others do not wait until its session is over, which takes ten seconds."""
    async with (
        member(cluster.address, topic.name, group=group) as stays,
        member(cluster.address, topic.name, group=group) as goes,
        asyncio.TaskGroup() as tasks,
    ):
        runs = [tasks.create_task(reader.run()) for reader in (stays, goes)]
        await until(lambda: len(stays.keeper.owned) == len(goes.keeper.owned) == 2, within=30)

        runs[1].cancel()
        await goes.source.close()
        began = time.monotonic()
        await until(lambda: len(stays.keeper.owned) == 4, within=30)
        runs[0].cancel()

    assert time.monotonic() - began < 5


async def test_whoever_closes_in_a_rebalance_leaves_at_once_as_well(
    cluster: Cluster, topic: Topic, group: str
) -> None:
    """It waits for a group that is not complete, and the answer would be long in coming."""
    is_over = asyncio.Event()

    async with (
        member(cluster.address, topic.name, group=group) as slow,
        member(cluster.address, topic.name, group=group) as goes,
        member(cluster.address, topic.name, group=group) as comes,
        asyncio.TaskGroup() as tasks,
    ):
        runs = [tasks.create_task(reader.run()) for reader in (slow, goes)]
        await until(lambda: len(slow.keeper.owned) == len(goes.keeper.owned) == 2, within=30)
        slow.keeper.ending = is_over.wait
        ended = goes.keeper.ended
        runs.append(tasks.create_task(comes.run()))
        await until(lambda: goes.keeper.ended > ended, within=30)
        await asyncio.sleep(0.5)  # by now it has asked to join again

        runs[1].cancel()
        began = time.monotonic()
        await goes.source.close()
        assert time.monotonic() - began < 2
        slow.keeper.ending = None
        is_over.set()
        await until(lambda: len(slow.keeper.owned) == len(comes.keeper.owned) == 2, within=30)
        assert time.monotonic() - began < 6
        for run in runs:
            run.cancel()


async def test_whoever_closes_before_it_ever_joined_leaves_at_once_as_well(
    cluster: Cluster, topic: Topic, group: str
) -> None:
    """The group knows it already, and would share the partitions with it."""
    is_asked, is_over = asyncio.Event(), asyncio.Event()

    async def end() -> None:
        is_asked.set()
        await is_over.wait()

    async with (
        member(cluster.address, topic.name, group=group) as slow,
        member(cluster.address, topic.name, group=group) as goes,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(slow.run())
        await until(lambda: slow.keeper.owned, within=30)
        slow.keeper.ending = end
        joining = tasks.create_task(goes.run())
        ended = slow.keeper.ended
        async with asyncio.timeout(30):
            await is_asked.wait()  # nobody else can have asked for a rebalance
        joining.cancel()
        await goes.source.close()
        slow.keeper.ending = None
        is_over.set()
        await until(lambda: slow.keeper.ended > ended and slow.keeper.owned, within=5)
        running.cancel()

    assert [len(starts) for starts in slow.keeper.begun] == [4, 4]


async def test_a_static_member_is_known_by_its_id(
    cluster: Cluster, topic: Topic, group: str, admin: AdminClient
) -> None:
    """And keeps its place when it closes: it will be back before its session is over."""
    async with member(
        cluster.address, topic.name, group=group, group_instance_id="pod-0"
    ) as reader:
        await reader.joined()
    found = admin.describe_consumer_groups([group])[group]

    described = await asyncio.to_thread(found.result, 10)

    (known,) = described.members
    assert known.group_instance_id == "pod-0"
    assert len(known.assignment.topic_partitions) == 4


async def test_static_members_restart_one_by_one_without_a_rebalance(
    cluster: Cluster, topic: Topic, group: str, admin: AdminClient
) -> None:
    """Also the one that leads the group: each gets its partitions back, and the others notice
    nothing.
    """

    def pod(number: int) -> AbstractAsyncContextManager[Member]:
        return member(cluster.address, topic.name, group=group, group_instance_id=f"pod-{number}")

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        pods = [await stack.enter_async_context(pod(number)) for number in (0, 1)]
        runs = [tasks.create_task(reader.run()) for reader in pods]
        await until(lambda: [len(reader.keeper.owned) for reader in pods] == [2, 2], within=30)
        before = await shares(admin, group)
        begun = [len(reader.keeper.begun) for reader in pods]

        for number in (0, 1):
            runs[number].cancel()
            await asyncio.wait([runs[number]])
            await pods[number].source.close()
            pods.append(await stack.enter_async_context(pod(number)))
            runs.append(tasks.create_task(pods[-1].run()))
            await until(lambda: pods[-1].keeper.owned, within=30)
        await asyncio.sleep(2)  # by now a rebalance would have been noticed
        after = await shares(admin, group)
        for run in runs:
            run.cancel()

    assert before == after
    assert [len(reader.keeper.begun) for reader in pods] == [*begun, 1, 1]


async def shares(admin: AdminClient, group: str) -> dict[str, set[tuple[str, int]]]:
    """Ask the group which partitions each of its instances has."""
    described = await asyncio.to_thread(admin.describe_consumer_groups([group])[group].result, 10)
    return {
        known.group_instance_id: {
            (place.topic, place.partition) for place in known.assignment.topic_partitions
        }
        for known in described.members
    }


async def test_of_two_with_one_name_the_earlier_ends(
    cluster: Cluster, topic: Topic, group: str
) -> None:
    """It does not join again: they would push each other out for ever, both at the same calls."""
    more = {"group": group, "group_instance_id": "pod-0"}
    async with (
        member(cluster.address, topic.name, **more) as earlier,
        member(cluster.address, topic.name, **more) as later,
        asyncio.TaskGroup() as tasks,
    ):
        ending = tasks.create_task(ends(earlier))
        await until(lambda: earlier.keeper.owned, within=30)
        staying = tasks.create_task(later.run())
        await ending
        await asyncio.sleep(3)  # by now it would have been pushed out in turn
        staying.cancel()

    assert earlier.keeper.owned == {}
    assert len(later.keeper.owned) == 4
    assert len(later.keeper.begun) == 1


async def ends(reader: Member) -> None:
    """Take until the place is lost to another."""
    with pytest.raises(FencedError):
        await reader.run()


# The assignor


@asynccontextmanager
async def process(cluster: Cluster, topic: Topic, group: str) -> AsyncIterator[Process]:
    """Run a member in a process of its own."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        str(TESTS / "edge/member_process.py"),
        *(cluster.address, topic.name, group),
        stdin=PIPE,
        stdout=PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def assigned(started: Process, is_so: Callable[[list[int]], bool]) -> list[int]:
    """Read the assignments of a process until one of them *is_so*."""
    assert started.stdout is not None
    async with asyncio.timeout(40):
        while True:
            partitions: list[int] = json.loads(await started.stdout.readline())
            if is_so(partitions):
                return partitions


async def test_the_assignor_shares_out_evenly_and_completely(cluster: Cluster, group: str) -> None:
    """Among processes, which know nothing of each other; when one leaves, to the others."""
    topic = await asyncio.to_thread(cluster.create_topic, partitions=7)
    async with (
        process(cluster, topic, group) as first,
        process(cluster, topic, group) as second,
    ):
        shares = [await assigned(it, lambda found: len(found) < 5) for it in (first, second)]
        assert sorted(map(len, shares)) == [3, 4]
        assert sorted(shares[0] + shares[1]) == list(range(7))

        assert second.stdin is not None
        second.stdin.close()
        assert await second.wait() == 0
        assert await assigned(first, lambda found: len(found) > 4) == list(range(7))
