"""Broken batches on the disk of a broker: each costs what it holds, and nobody else notices."""

import asyncio
import signal
import struct
from collections import Counter

import pytest
from brokers import RealKafka
from confluent_kafka import Producer
from core.batches.writing import Item, packed, record
from core.batches.writing import batch as written
from edge.raw_batches import Poison, batch, produce
from kafka.cluster import SECONDS, Cluster, Message
from system.deployment import Deployment, Letter, calls, deployment
from system.heartbeat import heartbeat
from system.poison import (
    ATTRIBUTES_AT,
    COUNT_AT,
    LAST_DELTA_AT,
    LENGTH_AT,
    MAGIC_AT,
    RECORDS_AT,
    Broken,
    Harm,
    flip,
    harm,
    overwrite,
    rewrite,
)
from system.vitals import most_resident

from ingestor.core.batches.inflating import MOST_BYTES, Codec
from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

PER_BATCH, BATCHES = 10, 4
THE_SECOND = 1
GZIP, NO_CODEC = b"\0\1", b"\0\7"
UNTRUSTED = "a batch whose bytes are not those that were written"
HARMS: dict[str, Harm] = {
    "a codec that is not known": rewrite(ATTRIBUTES_AT, NO_CODEC),
    "a broken gzip stream": rewrite(ATTRIBUTES_AT, GZIP),
    f"{UNTRUSTED}: value": flip(RECORDS_AT + 300),
    f"{UNTRUSTED}: last offset": flip(LAST_DELTA_AT + 3),
    f"{UNTRUSTED}: far offset": flip(LAST_DELTA_AT),
    f"{UNTRUSTED}: base offset": flip(0),
    f"{UNTRUSTED}: base offset a little": rewrite(7, b"\x1a"),
    "an impossible count is read": rewrite(COUNT_AT, struct.pack(">i", -7)),
    "a large count is read": rewrite(COUNT_AT, struct.pack(">i", 2**31 - 1)),
}
HARMLESS = {"an impossible count is read", "a large count is read"}


async def fill(here: Deployment, partition: int) -> list[str]:
    """Write batches of calls to a partition; give the names in the order of their offsets."""
    bodies = calls(PER_BATCH * BATCHES, f"p{partition}")
    values = list(bodies.values())
    for start in range(0, len(values), PER_BATCH):
        raw = batch(*values[start : start + PER_BATCH])
        await produce(here.topic.cluster.address, here.topic.name, partition, raw)
    return list(bodies)


def check(letters: list[Letter], partition: int, cause: str, broken: Broken) -> None:
    """One letter holds exactly what one batch held."""
    (letter,) = (each for each in letters if each.origin[0] == partition)
    assert letter.reason == "unreadable"
    assert letter.origin == (partition, broken.first)
    assert int(letter.said["last-offset"]) == broken.last
    assert letter.value == broken.raw
    expected = f"offsets {broken.first} to {broken.last}: {cause.partition(':')[0]}"
    assert letter.said["message"] == expected


async def test_each_broken_batch_costs_what_it_holds(
    cluster: Cluster, real_kafka: RealKafka
) -> None:
    """One of four batches is broken in each partition, in a different way. Everything else is
    posted, and the event loop goes on meanwhile.
    """
    async with deployment(cluster, partitions=len(HARMS) + 1) as here:
        names = [await fill(here, partition) for partition in range(len(HARMS) + 1)]
        await asyncio.to_thread(real_kafka.stop)
        broken = [
            harm(real_kafka, here.topic.name, partition, THE_SECOND, do)
            for partition, do in enumerate(HARMS.values())
        ]
        await asyncio.to_thread(real_kafka.start)
        async with here.service() as running:
            await running.until_ready()
            async with heartbeat(running) as answers:
                await here.until_finished(running)
        letters = await here.letters()

    lost = set()
    for partition, (cause, held) in enumerate(zip(HARMS, broken, strict=True)):
        if cause not in HARMLESS:
            check(letters, partition, cause, held)
            lost |= set(names[partition][held.first : held.last + 1])
    assert len(letters) == len(HARMS) - len(HARMLESS)
    assert set(here.posted()) == {name for each in names for name in each} - lost
    assert max(Counter(here.posted()).values()) == 1
    assert max(answers) < 2.0


async def test_a_batch_with_a_higher_magic_is_read(cluster: Cluster, real_kafka: RealKafka) -> None:
    """Its checksum does not cover that byte. It is read from its begin here: from within such a
    batch the broker itself goes on behind it, since it does not find out where it ends.
    """
    async with deployment(cluster, partitions=1) as here:
        names = await fill(here, 0)
        await asyncio.to_thread(real_kafka.stop)
        harm(real_kafka, here.topic.name, 0, THE_SECOND, rewrite(MAGIC_AT, b"\xff"))
        await asyncio.to_thread(real_kafka.start)
        async with here.service() as running:
            await here.until_finished(running)
        letters = await here.letters()

    assert letters == []
    assert set(here.posted()) == set(names)


async def test_a_kill_in_the_midst_loses_no_range(cluster: Cluster, real_kafka: RealKafka) -> None:
    """Whoever comes next finds it again, and writes its letter once more or for the first time."""
    async with deployment(cluster, partitions=2) as here:
        names = [await fill(here, partition) for partition in range(2)]
        await asyncio.to_thread(real_kafka.stop)
        broken = [
            harm(real_kafka, here.topic.name, partition, THE_SECOND, flip(RECORDS_AT + 300))
            for partition in range(2)
        ]
        await asyncio.to_thread(real_kafka.start)
        for _ in range(3):
            async with here.service() as running:
                await running.until_said("partition_unreadable")
                running.signal(signal.SIGKILL)
                await running.ended()
        async with here.service() as running:
            await here.until_finished(running)
        letters = await here.letters()

    found = {(each.origin, each.said["last-offset"], each.value) for each in letters}
    assert found == {
        ((partition, each.first), str(each.last), each.raw) for partition, each in enumerate(broken)
    }
    lost = {name for each in names for name in each[PER_BATCH : 2 * PER_BATCH]}
    assert set(here.posted()) == {name for each in names for name in each} - lost


async def test_a_stretch_that_the_broker_cannot_read_stops_only_its_partition(
    cluster: Cluster, real_kafka: RealKafka
) -> None:
    """A batch says of itself that it has no length, so the broker finds nothing from there on. That
    partition waits and says so; the others go on.
    """
    async with deployment(cluster, partitions=2) as here:
        stuck, fine = [await fill(here, partition) for partition in range(2)]
        await asyncio.to_thread(real_kafka.stop)
        harm(real_kafka, here.topic.name, 0, THE_SECOND, overwrite(LENGTH_AT, bytes(4)))
        await asyncio.to_thread(real_kafka.start)
        async with here.service() as running:
            told = await running.until_said("partition_unreadable")
            await here.publish([Message(value=body("later", size=1_500), partition=1)])
            await running.until(lambda: here.posted().keys() >= {*fine, "later"})
            assert await running.readiness() == (200, [])
        committed = await here.committed()
        letters = await here.letters()

    assert told["partition"] == f"{here.topic.name}/0"
    assert here.posted().keys() - {*fine, "later"} <= set(stuck[:PER_BATCH])
    assert committed.get(0, 0) <= PER_BATCH
    assert letters == []


def write_in_transactions(cluster: Cluster, topic: str) -> None:
    """Commit, abort and commit a call each, to partition 0."""
    settings = {"bootstrap.servers": cluster.address, "transactional.id": topic, "log_level": 0}
    producer = Producer(settings)
    producer.init_transactions(SECONDS)
    for name in ("before", "aborted", "after"):
        producer.begin_transaction()
        producer.produce(topic, body(name, size=1_500), name, partition=0)
        producer.flush(SECONDS)
        if name == "aborted":
            producer.abort_transaction(SECONDS)
        else:
            producer.commit_transaction(SECONDS)


async def test_what_was_aborted_stays_so_beside_a_broken_batch(
    cluster: Cluster, real_kafka: RealKafka
) -> None:
    """The bytes hold it, and the client is not there to leave it out. A marker that is broken takes
    no transaction of the same producer with it.
    """
    async with deployment(cluster, partitions=2) as here:
        address, name = cluster.address, here.topic.name
        await produce(address, name, 0, batch(body("bad", size=1_500)))
        await asyncio.to_thread(write_in_transactions, cluster, name)
        await produce(address, name, 0, batch(body("odd", size=1_500), poison=Poison.HEADER))
        await asyncio.to_thread(real_kafka.stop)
        harm(real_kafka, name, 0, 0, rewrite(ATTRIBUTES_AT, NO_CODEC))
        marker = harm(real_kafka, name, 0, 4, flip(RECORDS_AT + 5))
        await asyncio.to_thread(real_kafka.start)
        async with here.service() as running:
            await here.until_finished(running)
        letters = await here.letters()

    assert set(here.posted()) == {"before", "after", "odd"}
    assert sorted(each.origin for each in letters) == [(0, 0), (0, marker.first)]


async def test_a_bomb_takes_no_memory(cluster: Cluster) -> None:
    """A few kilobytes that stand for three hundred megabytes are a letter of a few kilobytes."""
    bomb = packed(Codec.ZSTD, record(Item(0, b"\0" * (300 * 2**20))))
    async with deployment(cluster, partitions=2) as here, here.service() as running:
        await running.until_ready()
        before = most_resident(running.pid)
        raw = written(0, payload=bomb, codec=Codec.ZSTD, count=1)
        await produce(cluster.address, here.topic.name, 0, raw)
        await produce(cluster.address, here.topic.name, 0, batch(body("good", size=1_500)))
        async with heartbeat(running) as answers:
            await here.until_finished(running)
        taken = most_resident(running.pid) - before
        (letter,) = await here.letters()

    assert letter.said["message"] == f"offsets 0 to 0: inflates to more than {MOST_BYTES} bytes"
    assert letter.value is not None
    assert len(letter.value) < 2**20
    assert set(here.posted()) == {"good"}
    assert taken < MOST_BYTES * 2
    assert max(answers) < 2.0
