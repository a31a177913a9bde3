"""Services that share a topic come and go under load."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from kafka.cluster import Cluster
from system.deployment import Deployment, Origin, deployment
from system.processes import ServiceProcess
from system.sequences import Sequences, is_in_order, overlaps
from system.waiting import eventually

from ingestor.devkit.fake_tuner import Entry, Latency, Options
from ingestor.devkit.fake_tuner.background import background

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

PARTITIONS = 12
CALLS = 150
PACE_SECONDS = 0.5
# Nearly always some request is under way, whenever a partition is taken away.
OPTIONS = Options(latency=Latency(median=0.3, spread=0.5))


class Load:
    """Events of every call again and again, from beginning to end of a test."""

    def __init__(self, here: Deployment) -> None:
        self._here = here
        self._is_over = asyncio.Event()
        self.has_ended = asyncio.Event()
        self.sequences = Sequences(CALLS)
        self.origins: dict[str, Origin] = {}

    async def run(self) -> None:
        """Publish until it is over."""
        while not self._is_over.is_set():
            self.origins |= await self._here.place(self.sequences.next_events())
            await asyncio.sleep(PACE_SECONDS)
        self.has_ended.set()

    async def end(self) -> None:
        """Publish no more."""
        self._is_over.set()
        await self.has_ended.wait()


async def test_services_come_and_go_and_nothing_is_lost(cluster: Cluster) -> None:
    """One joins, one leaves, one is killed, each under load; the events of a call stay in order.

    What comes again is what the killed one had on its way, and nothing else: not what stood behind
    an event that still waited for its turn when the partition changed hands.
    """
    async with (
        deployment(cluster, OPTIONS, partitions=PARTITIONS) as here,
        AsyncExitStack() as stack,
        background() as tasks,
    ):
        load = Load(here)
        tasks.start(load.run())
        first, second = [await stack.enter_async_context(here.service()) for _ in range(2)]
        await until_shared(first, second)
        third = await stack.enter_async_context(here.service())
        await until_shared(first, second, third)

        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        await until_shared(second, third)

        second.kill()
        await second.ended()
        on_their_way = await here.in_flight(load.origins)
        await until_shared(third)
        await load.end()
        await here.until_finished(third)

    requests = here.tuner.requests
    assert {entry.sha256 for entry in requests} == set(load.origins)
    assert repeated(requests) <= on_their_way
    for entries in load.sequences.of_each(requests).values():
        assert is_in_order([load.sequences.number(entry) for entry in entries])
        assert overlaps(entries) == 0


def repeated(requests: Sequence[Entry]) -> set[str]:
    """Name, by hash, the events that were posted more than once."""
    posted = Counter(entry.sha256 or "" for entry in requests)
    return {name for name, count in posted.items() if count > 1}


async def until_shared(*services: ServiceProcess) -> None:
    """Wait until each of *services* has partitions and together they have each one once."""

    def is_shared() -> bool:
        for running in services:
            running.check()
        shares = [partitions(running) for running in services]
        return all(shares) and len(set().union(*shares)) == sum(map(len, shares)) == PARTITIONS

    await eventually(is_shared, so_far=lambda: [partitions(running) for running in services])


def partitions(running: ServiceProcess) -> set[str]:
    """Read in its log which partitions a service was last given."""
    given = running.entries_of("partitions_assigned")
    return set(given[-1]["partitions"]) if given else set()
