"""All brokers are gone for longer than a session and a rebalance take, and Tuner is there."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from brokers import RealKafka
from kafka.cluster import Cluster
from system.deployment import Deployment, calls, deployment, in_flight, messages
from system.processes import ServiceProcess
from system.vitals import MiB, resident
from system.waiting import eventually

from ingestor.devkit.fake_tuner import Latency, Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

AWAY_SECONDS, LONG_AWAY_SECONDS = 75.0, 150.0
SETTLING_SECONDS = 15.0
OPTIONS = Options(latency=Latency(median=0.3, spread=0.4))
# What they hold is enough for longer than they go on.
SLOW = {"INGESTOR_MAX_RATE": "15"}
DRAIN_SECONDS = 3.0
HASTE = {"INGESTOR_DRAIN_SECONDS": str(DRAIN_SECONDS), "KAFKA_GROUP_INSTANCE_ID": "one"}
# What a service may take beside the drain: two seconds each for letters, commit and leaving.
CLOSING_SECONDS = 6.0
# Why a commit fails may change a few times; that it does is not told ten times a minute.
MOST_CAUSES = 3
# What may come and go, as buffers do: nothing that grows with the length of the outage.
FLAT = 4 * MiB


async def test_brokers_that_are_away_for_long_cost_nothing(
    real_kafka: RealKafka, cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """The services live, hold what they have, and go on as the members that they were: not even
    what they could not commit comes twice. One that is told to stop meanwhile does so in time, and
    says what it could not commit.
    """
    is_long = pytestconfig.getoption("--chaos-minutes") is not None
    seconds = LONG_AWAY_SECONDS if is_long else AWAY_SECONDS
    before, after = calls(1_000, "before"), calls(200, "after")
    async with (
        deployment(cluster, OPTIONS) as here,
        deployment(cluster, OPTIONS) as there,
        here.service(SLOW) as one,
        here.service(SLOW) as other,
        there.service({**HASTE, **SLOW}) as stops,
    ):
        services = (one, other)
        await eventually(lambda: [len(given(it)) for it in services] == [6, 6])
        origins = await there.place(messages(before))
        await here.publish(messages(before))
        await eventually(lambda: min(len(at.tuner.requests) for at in (here, there)) > 200)
        assigned = assignments(*services)
        await asyncio.to_thread(real_kafka.kill)
        began = time.monotonic()

        await asyncio.sleep(SETTLING_SECONDS)
        for running in services:
            await running.until_said("membership_in_doubt")
        used = [resident(running.pid) for running in services]
        stopped = await stop(stops)
        assert stopped["uncommitted"] > 0
        posted = len(here.tuner.requests)
        await asyncio.sleep(began + seconds - time.monotonic())
        grown = [resident(it.pid) - size for it, size in zip(services, used, strict=True)]
        for running in services:
            await is_waiting(running)
        assert len(here.tuner.requests) == posted < len(before)

        await asyncio.to_thread(real_kafka.start)
        committed = await there.commits()
        async with there.service(HASTE) as successor:
            await here.publish(messages(after))
            origins |= await there.place(messages(after))
            await here.until_finished(*services)
            await there.until_finished(successor)

    assert max(grown) < FLAT
    for place in (here, there):
        assert place.bodies() == before | after
        assert await place.letters() == []
    assert set(here.posted().values()) == {1}
    assert assignments(*services) == assigned
    assert repeated(there) <= in_flight(there.tuner.requests, origins, committed)


def given(running: ServiceProcess) -> list[str]:
    """Read in its log which partitions a service was last given."""
    told = running.entries_of("partitions_assigned")
    return list(told[-1]["partitions"]) if told else []


def assignments(*services: ServiceProcess) -> list[int]:
    """Count how often each service was given partitions."""
    return [len(running.entries_of("partitions_assigned")) for running in services]


async def stop(running: ServiceProcess) -> Mapping[str, Any]:
    """Have *running* stop; give what it said when it had drained."""
    running.signal(signal.SIGTERM)
    assert await running.ended(DRAIN_SECONDS + CLOSING_SECONDS) == 0
    return running.entries_of("drained")[-1]


async def is_waiting(running: ServiceProcess) -> None:
    """See that it lives, and waits for Kafka with work in its hands; a deploy can roll."""
    assert (await running.page("livez"))[0] == 200
    assert await running.readiness() == (200, [])
    assert await running.metric("ingestor_group_member") == 0
    assert await running.metric("ingestor_slots_in_use") == 0
    assert await running.metric("ingestor_waiting_records") > 0
    assert len(running.entries_of("commit_refused")) <= MOST_CAUSES


def repeated(here: Deployment) -> set[str | None]:
    """Name, by hash, the events that were posted more than once."""
    posted = Counter(entry.sha256 for entry in here.tuner.requests)
    return {name for name, count in posted.items() if count > 1}
