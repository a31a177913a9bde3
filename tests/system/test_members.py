"""A service is a member of its group for as long as it runs, and longer if it has a name."""

import asyncio
import signal
from contextlib import AbstractAsyncContextManager

import pytest
from kafka.cluster import Cluster
from system.deployment import Deployment, calls, deployment, messages
from system.processes import ServiceProcess
from system.test_rebalances import partitions
from system.waiting import eventually

from ingestor.devkit.fake_tuner import Latency, Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PACE = Options(latency=Latency(median=0.1, spread=0.3))
# Longer than the group waits for a word of a member.
LONG_SECONDS = 15.0


def pod(here: Deployment, number: int) -> AbstractAsyncContextManager[ServiceProcess]:
    """Run a service under a name of its own."""
    return here.service({"KAFKA_GROUP_INSTANCE_ID": f"pod-{number}"})


async def test_named_services_restart_without_a_rebalance(cluster: Cluster) -> None:
    """Under load, one after the other: the other one goes on undisturbed, and no call is posted
    twice. Two with one name: the one that came first says so, and ends.
    """
    bodies = calls(1_500)
    async with (
        deployment(cluster, PACE, partitions=6) as here,
        pod(here, 0) as zero,
        pod(here, 1) as one,
    ):
        await eventually(lambda: len(partitions(zero)) == len(partitions(one)) == 3)
        shares = partitions(zero), partitions(one)
        assigned = len(zero.entries_of("partitions_assigned"))
        await here.publish(messages(bodies))
        await one.until(lambda: len(here.tuner.requests) > 200)

        one.signal(signal.SIGTERM)
        assert await one.ended() == 0
        async with pod(here, 1) as back:
            await back.until(lambda: partitions(back) == shares[1])
            await here.until_finished(zero, back)
            assert len(zero.entries_of("partitions_assigned")) == assigned
            assert partitions(zero) == shares[0]
            assert set(here.posted().values()) == {1}
            assert here.bodies() == bodies

            async with pod(here, 1) as usurper:
                assert await back.ended(within=20) == 1
                assert back.entries_of("fenced")[0]["instance_id"] == "pod-1"
                await usurper.until(lambda: partitions(usurper) == shares[1])
                await asyncio.sleep(3)  # by now it would have been pushed out in turn
                usurper.check()
                assert len(zero.entries_of("partitions_assigned")) == assigned


async def test_long_work_never_leads_to_an_eviction(cluster: Cluster) -> None:
    """With every slot waiting for Tuner, and no room left, for longer than a session lasts."""
    settings = {
        "TUNER_TIMEOUT_SECONDS": "60",
        "INGESTOR_MAX_CONCURRENCY": "4",
        "INGESTOR_MAX_EVENT_BYTES": "16 KiB",
        "INGESTOR_MAX_BUFFER_BYTES": "64 KiB",
    }
    bodies = calls(200)
    slow = Options(latency=Latency(median=LONG_SECONDS, spread=0.0))
    async with deployment(cluster, slow) as here, here.service(settings) as running:
        await running.until(lambda: running.entries_of("partitions_assigned"))
        await here.publish(messages(bodies))
        await running.until(lambda: here.tuner.requests, within=LONG_SECONDS * 2)
        await running.until(lambda: len(here.tuner.calls) >= 1, within=LONG_SECONDS * 2)
        assert await running.metric("ingestor_waiting_bytes") > 0
        committed = await here.committed()
        running.signal(signal.SIGTERM)
        assert await running.ended(within=30) == 0

    assert committed
    assert len(running.entries_of("partitions_assigned")) == 1
    assert running.entries_of("partitions_revoked") == []
    assert running.entries_of("kafka_failed") == []
    assert running.entries_of("commit_refused") == []
