"""Kafka is not there yet, lacks the topic, or crashes under load."""

import asyncio
import signal
from collections import Counter
from uuid import uuid4

import pytest
from brokers import RealKafka
from builders import event
from kafka.cluster import Cluster, Topic
from system.deployment import Deployment, calls, deployment, messages
from system.processes import ServiceProcess

from ingestor.devkit.fake_tuner import FakeTuner, Latency, Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

SLOW = Options(latency=Latency(median=0.3, spread=0.4))
DRAIN_SECONDS = 3.0
# A member with a name need not wait until the session of one that could not leave is over.
HASTE = {"INGESTOR_DRAIN_SECONDS": str(DRAIN_SECONDS), "KAFKA_GROUP_INSTANCE_ID": "one"}
# What a service may take beside the drain: two seconds each for letters, commit and leaving.
CLOSING_SECONDS = 6.0


async def test_without_a_broker_or_a_topic_it_waits_and_then_goes_on(
    real_kafka: RealKafka, cluster: Cluster
) -> None:
    """Whoever deploys need not care in which order things come up: it lives, says that it is not
    ready, and why.
    """
    name = f"later-{uuid4().hex}"
    bodies = calls(20)
    await asyncio.to_thread(real_kafka.kill)
    async with FakeTuner().serve() as tuner:
        here = Deployment(Topic(cluster, name), Topic(cluster, f"{name}.dead-letters"), tuner)
        async with here.service() as running:
            await waits(running, "ConnectionRefusedError")
            await asyncio.to_thread(real_kafka.start)
            await waits(running, f"no topic {name}")
            assert name not in await asyncio.to_thread(cluster.topics)
            await asyncio.to_thread(cluster.create_topic, name)
            await running.until_ready()
            await here.publish(messages(bodies))
            await here.until_finished(running)

        assert here.bodies() == bodies


async def waits(running: ServiceProcess, cause: str) -> None:
    """See that it lives and is not ready, and wait until it has named *cause*."""
    await running.until(
        lambda: cause in {entry["cause"] for entry in running.entries_of("waiting_for_kafka")}
    )
    assert (await running.page("livez"))[0] == 200
    assert await running.readiness() == (503, ["starting: the group is not joined yet"])


async def test_a_broker_that_crashes_under_load_costs_nothing(
    real_kafka: RealKafka, cluster: Cluster
) -> None:
    """Not the calls on their way, not those still to be read, not the letters. A service stays and
    goes on by itself; one that is told to stop meanwhile does so in time, without a commit.
    """
    bodies = calls(1_000)
    refused = {name: event(call_id=name, agent_version="v2") for name in calls(60, "refused")}
    events = messages(bodies)
    events[300:300] = messages(refused)
    async with (
        deployment(cluster, SLOW) as here,
        deployment(cluster, SLOW) as there,
        here.service() as stays,
        there.service(HASTE) as stops,
    ):
        await here.publish(events)
        await there.publish(events)
        await stays.until(lambda: len(here.tuner.requests) > 200)
        await stops.until(lambda: len(there.tuner.requests) > 200)
        await asyncio.to_thread(real_kafka.kill)
        posted = len(here.tuner.requests)
        stops.signal(signal.SIGTERM)
        assert await stops.ended(DRAIN_SECONDS + CLOSING_SECONDS) == 0
        assert (await stays.page("livez"))[0] == 200
        await asyncio.to_thread(real_kafka.start)
        async with there.service(HASTE) as successor:
            await here.until_finished(stays)
            await there.until_finished(successor)

        assert posted < len(events)
        for place in (here, there):
            assert place.bodies() == bodies
            letters = {letter.origin: letter.value for letter in await place.letters()}
            assert Counter(letters.values()) == Counter(refused.values())
