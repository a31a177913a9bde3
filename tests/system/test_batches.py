"""How producers may write: compressed in every way, and in transactions."""

import asyncio

import pytest
from confluent_kafka import Producer
from kafka.cluster import SECONDS, Cluster
from system.deployment import calls, deployment, messages

from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


async def test_every_compression_is_read(cluster: Cluster) -> None:
    """A producer may change its codec any day; no service may stop for it."""
    bodies = {codec: calls(50, codec) for codec in CODECS}
    async with deployment(cluster) as here, here.service() as running:
        for codec, ours in bodies.items():
            settings = {"compression.type": codec, "linger.ms": "50"}
            await here.publish(messages(ours), settings)
        await here.until_finished(running)

    assert here.bodies() == {
        name: value for ours in bodies.values() for name, value in ours.items()
    }


def write_in_transactions(cluster: Cluster, topic: str) -> None:
    """Write five calls to partition 0, of which two transactions, the second and the fourth, are
    aborted after the broker has them.
    """
    settings = {"bootstrap.servers": cluster.address, "transactional.id": topic, "log_level": 0}
    producer = Producer(settings)
    producer.init_transactions(SECONDS)
    for number in range(5):
        name = f"call-{number}"
        producer.begin_transaction()
        producer.produce(topic, body(name, size=1_500), name, partition=0)
        producer.flush(SECONDS)
        if number % 2:
            producer.abort_transaction(SECONDS)
        else:
            producer.commit_transaction(SECONDS)


async def test_what_a_transaction_aborted_is_not_posted(cluster: Cluster) -> None:
    """An aborted event never happened, although the broker keeps it between the others.

    Each transaction leaves a marker behind its record: the last one is behind what we read.
    """
    async with deployment(cluster, partitions=1) as here, here.service() as running:
        await asyncio.to_thread(write_in_transactions, cluster, here.topic.name)
        *_, last = await asyncio.to_thread(here.topic.read_all)

        async def is_finished() -> bool:
            return (await here.committed()).get(0, 0) > last.offset

        await running.until(is_finished)

    assert {call.call_id for call in here.tuner.calls} == {"call-0", "call-2", "call-4"}
    assert here.tuner.summary().requests == 3
