"""How fast the service posts, and how many at a time."""

from itertools import pairwise

import pytest
from kafka.cluster import Cluster
from system.deployment import calls, deployment, messages

from ingestor.devkit.fake_tuner import Latency, Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

RATE = 20
WORKERS = 4


async def test_a_rate_is_kept(cluster: Cluster) -> None:
    """With a backlog, and from the first request on; no slower than it has to be either."""
    async with deployment(cluster) as here:
        await here.publish(messages(calls(100)))
        async with here.service({"INGESTOR_MAX_RATE": str(RATE)}) as running:
            await here.until_finished(running)
        arrived = sorted(entry.arrived for entry in here.tuner.requests)

    assert len(arrived) == 100
    for first, last in zip(arrived, arrived[RATE + 5 :], strict=False):
        # What was sent in order may come together: a busy machine is late with the first of them.
        assert last - first > 0.8
    assert arrived[-1] - arrived[0] < 100 / RATE * 3


async def test_a_tuner_with_few_workers_is_not_flooded(cluster: Cluster) -> None:
    """More requests than it serves only wait there: the slots come down to what it does, and every
    call is delivered once.
    """
    slow = Options(latency=Latency(0.1), capacity=WORKERS)
    async with deployment(cluster, slow) as here:
        await here.publish(messages(calls(700)))
        async with here.service({"INGESTOR_MAX_CONCURRENCY": "256"}) as running:
            limits = []

            async def is_done() -> bool:
                limits.append(await running.metric("ingestor_slots_limit"))
                return len(here.tuner.calls) == 700

            await running.until(is_done, within=90)
        assert max(here.posted().values()) == 1

    assert max(limits) <= 64
    assert all(after < 2.5 * before for before, after in pairwise(limits))
