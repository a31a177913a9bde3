"""Thousands of calls that are finished beyond one that is stuck are not sent again."""

import signal
from contextlib import AsyncExitStack

import pytest
from kafka.cluster import Cluster
from system.deployment import (
    Deployment,
    Origin,
    calls,
    deployment,
    digest,
    is_finished,
    message,
)
from system.processes import ServiceProcess

from ingestor.devkit.fake_tuner import Delay, Options, Window
from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

STUCK = "stuck"
BEYOND = 5_000
# What may be under way, and what may be settled since the last commit.
MOST_REPEATED = 64 + 1_000
FOREVER = 1e6
# A request for the stuck call stays on the wire for longer than anybody waits here.
OPTIONS = Options(faults=(Window(call_id=STUCK, fault=Delay(FOREVER), seconds=FOREVER),))
SETTINGS = {"TUNER_TIMEOUT_SECONDS": "200", "INGESTOR_DRAIN_SECONDS": "1"}


async def test_what_is_finished_beyond_a_stuck_call_is_not_sent_again(cluster: Cluster) -> None:
    """After a kill -9 only what was in flight is: posted, or settled since the last commit. After a
    stop in order and a rebalance nothing is but the stuck call itself.
    """
    bodies = {name: body(name, size=1_500) for name in (STUCK, *calls(BEYOND + 1_000))}
    async with deployment(cluster, OPTIONS, partitions=2) as here, AsyncExitStack() as stack:
        events = [message(name, value, partition=0) for name, value in bodies.items()]
        origins = await here.place(events)

        first = await stack.enter_async_context(here.service(SETTINGS))
        await first.until(lambda: len(here.tuner.calls) >= BEYOND)
        first.kill()
        await first.ended()
        on_their_way = await here.in_flight(origins)
        second = await stack.enter_async_context(here.service(SETTINGS))
        await until_only_the_stuck_is_left(here, second, origins)
        repeated = {name for name, count in here.posted().items() if count > 1}
        assert {digest(bodies[name]) for name in repeated} <= on_their_way
        assert len(repeated) <= MOST_REPEATED

        before = here.posted()
        second.signal(signal.SIGTERM)
        assert await second.ended() == 0
        third = await stack.enter_async_context(here.service(SETTINGS))
        await third.until(lambda: here.posted()[STUCK] == 3)
        fourth = await stack.enter_async_context(here.service(SETTINGS))
        await fourth.until(lambda: here.posted()[STUCK] == 4)
        assert here.posted() - before == {STUCK: 2}

        here.tuner.clear_faults()
        for running in (third, fourth):
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0
        last = await stack.enter_async_context(here.service(SETTINGS))
        await here.until_finished(last)
        assert here.posted() - before == {STUCK: 3}
        assert here.bodies() == bodies


async def until_only_the_stuck_is_left(
    here: Deployment, running: ServiceProcess, origins: dict[str, Origin]
) -> None:
    """Wait until the group knows that all of *origins* are finished but for the first."""

    async def is_so() -> bool:
        commits = await here.commits()
        unfinished = [origin for origin in origins.values() if not is_finished(origin, commits)]
        return unfinished == [(0, 0)]

    await running.until(is_so, within=90)
