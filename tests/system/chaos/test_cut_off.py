"""A service that is cut off from Kafka, or stands still, holds calls that soon are another's."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from system.chaos.proxied_kafka import ProxiedKafka
from system.chaos.proxy import Proxy, Way
from system.deployment import Origin, deployment
from system.processes import ServiceProcess
from system.sequences import Sequences, is_in_order, overlaps
from system.waiting import eventually

from ingestor.devkit.fake_tuner import Delay, Entry, Latency, Options, Window

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

PARTITIONS = 8
CALLS, EVENTS = 80, 12
SLOTS = 8
# The group believes for ten seconds that a member lives of which it hears nothing.
SESSION_SECONDS = 10.0
# A commit is at most so old; the rest is for a busy machine.
COMMITTED_WITHIN = 2.5
OPTIONS = Options(latency=Latency(median=0.2))
# What it holds is enough for longer than it is cut off.
SLOW, QUICK = {"INGESTOR_MAX_RATE": "15"}, {"INGESTOR_MAX_RATE": "80"}

Fault = Callable[[Proxy], AbstractAsyncContextManager[None]]
FAULTS: dict[str, Fault] = {
    "silent": lambda proxy: proxy.stalling(),
    "unheard": lambda proxy: proxy.stalling(Way.TO_CLIENT),
    "refused": lambda proxy: proxy.refusing(),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_who_is_cut_off_from_kafka_stops_before_others_begin(
    doors: ProxiedKafka, name: str
) -> None:
    """It has hundreds of calls and a Tuner that takes them. Once the group may have forgotten it,
    it begins no request; what it had on its way is all that comes twice; and it goes on as soon as
    it is a member again.
    """
    door, *_ = doors.doors
    sequences = Sequences(CALLS)
    origins: dict[str, Origin] = {}
    async with (
        deployment(doors.cluster, OPTIONS, partitions=PARTITIONS) as here,
        Proxy(door.behind, door.advertised).serving() as proxy,
        here.service({**SLOW, **agent("cut-off"), "KAFKA_BOOTSTRAP_SERVERS": proxy.address}) as one,
        here.service({**QUICK, **agent("stays")}) as other,
    ):
        await eventually(lambda: len(given(one)) == len(given(other)) == PARTITIONS // 2)
        for _ in range(EVENTS):
            origins |= await here.place(sequences.next_events())
        await eventually(lambda: len(by("cut-off", here.tuner.requests)) > CALLS / 2)

        async with FAULTS[name](proxy):
            began, assigned = time.monotonic(), assignments(one)
            await one.until_said("membership_in_doubt")
            await other.until(lambda: len(given(other)) == PARTITIONS)
            taken_over = time.monotonic()
            await eventually(lambda: time.monotonic() > began + 2 * SESSION_SECONDS)
            assert await one.metric("ingestor_waiting_records") > CALLS
            assert await one.readiness() == (200, [])
        await one.until(lambda: assignments(one) > assigned)
        healed = time.monotonic()
        await here.until_finished(one, other)
        assert await here.letters() == []

    requests = here.tuner.requests
    assert {entry.sha256 for entry in requests} == origins.keys()
    late = [it.arrived - began for it in by("cut-off", requests) if began < it.arrived < healed]
    assert late, "it went on for a while: it could not know"
    assert max(late) < min(SESSION_SECONDS, taken_over - began)
    for entries in sequences.of_each(requests).values():
        assert is_in_order([sequences.number(entry) for entry in entries])
        assert overlaps(entries) == 0
    assert all(
        first.agent == "cut-off" and first.arrived > began - COMMITTED_WITHIN
        for first in repeated(requests)
    )


async def test_who_stood_still_begins_nothing_before_the_group_has_answered(
    doors: ProxiedKafka,
) -> None:
    """It wakes with calls in its hands, and answers that make room for more; others have posted
    them long since.
    """
    sequences = Sequences(CALLS)
    origins: dict[str, Origin] = {}
    async with (
        deployment(doors.cluster, OPTIONS, partitions=PARTITIONS) as here,
        here.service({"INGESTOR_MAX_CONCURRENCY": str(SLOTS), **agent("frozen")}) as one,
        here.service(agent("stays")) as other,
    ):
        await eventually(lambda: len(given(one)) == len(given(other)) == PARTITIONS // 2)
        for _ in range(EVENTS):
            origins |= await here.place(sequences.next_events())
        await eventually(lambda: len(by("frozen", here.tuner.requests)) > CALLS / 2)
        # Stopped while none of its requests is on its way to Tuner: that one would be sent later.
        delayed = time.monotonic()
        here.tuner.add_faults(Window(fault=Delay(3.0), seconds=1.0))
        await eventually(
            lambda: unanswered(by("frozen", here.tuner.requests), since=delayed) == SLOTS
        )
        assigned = assignments(one)
        os.kill(one.pid, signal.SIGSTOP)
        began = time.monotonic()
        await here.until_finished(other)
        posted = len(here.tuner.requests)
        os.kill(one.pid, signal.SIGCONT)
        await one.until(lambda: assignments(one) > assigned)
        more = await here.place(sequences.next_events())
        await here.until_finished(one, other)

    requests = here.tuner.requests
    assert {entry.sha256 for entry in requests} == origins.keys() | more.keys()
    assert {entry.sha256 for entry in requests[posted:]} == more.keys()
    assert len(requests) - posted == len(more)
    assert all(
        first.agent == "frozen" and first.arrived > began - COMMITTED_WITHIN
        for first in repeated(requests)
    )


def agent(name: str) -> dict[str, str]:
    """Tell a service's requests from those of others."""
    return {"TUNER_AGENT_ID": name}


def by(name: str, requests: list[Entry]) -> list[Entry]:
    """Give the requests of one service."""
    return [entry for entry in requests if entry.agent == name]


def unanswered(requests: list[Entry], since: float) -> int:
    """Count those that came *since* then and wait for their answer."""
    return sum(entry.arrived > since and entry.answered is None for entry in requests)


def repeated(requests: list[Entry]) -> list[Entry]:
    """Give the first request for each event that was posted more than once."""
    firsts: dict[str | None, Entry] = {}
    return [
        firsts[entry.sha256]
        for entry in requests
        if firsts.setdefault(entry.sha256, entry) is not entry
    ]


def assignments(running: ServiceProcess) -> int:
    """Count in its log how often a service was given partitions."""
    return len(running.entries_of("partitions_assigned"))


def given(running: ServiceProcess) -> list[str]:
    """Read in its log which partitions a service was last given."""
    told = running.entries_of("partitions_assigned")
    return list(told[-1]["partitions"]) if told else []
