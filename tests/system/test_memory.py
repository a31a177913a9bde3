"""A backlog that is larger than the memory that may be used for it."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import pytest
from builders import event, row
from kafka.cluster import Cluster, Message
from system.deployment import Deployment, deployment, message
from system.processes import ServiceProcess
from system.vitals import MiB, most_resident, resident

from ingestor.devkit.fake_tuner import Latency, Options, Reply, Window
from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

EVENTS = 10_000
EVENT_BYTES = 30_000
PARTITIONS = 12
# What the README says a process needs: its code, what it may hold with the copies on their way to
# the socket and the holes between them, and the client's last fetch of each partition. Measured: 98
# MiB for the plain backlog, 114 for the packed one.
CODE = 80 * MiB
FACTOR = 1.5
SETTLING_SECONDS, OUTAGE_SECONDS = 10.0, 60.0
# What may come and go, as buffers do: nothing that grows with the length of an outage.
FLAT = 4 * MiB


@dataclass(frozen=True, slots=True)
class Case:
    """How the backlog is written, and the largest batch in it, unpacked."""

    settings: Mapping[str, str]
    is_dull: bool
    batch_bytes: int


CASES = {
    "plain": Case({}, is_dull=False, batch_bytes=MiB),
    "zstd": Case(
        {
            "compression.type": "zstd",
            "linger.ms": "300",
            "batch.size": str(8 * MiB),
            "message.max.bytes": str(16 * MiB),
        },
        is_dull=True,
        batch_bytes=8 * MiB,
    ),
}


def backlog(case: Case) -> Iterator[Message]:
    """Make the events; dull ones pack a hundred to one."""
    rows = [row(text="I see. " * 40)] * (EVENT_BYTES // 350)
    for number in range(EVENTS):
        call_id = f"call-{number:05}"
        if case.is_dull:
            value = event(call_id=call_id, transcript_with_tool_calls=rows)
        else:
            value = body(call_id, size=EVENT_BYTES)
        yield message(call_id, value)


@pytest.mark.parametrize("name", CASES)
async def test_a_backlog_takes_no_more_memory_than_documented(cluster: Cluster, name: str) -> None:
    """Ten thousand events of 30 KB, a Tuner that takes a second for each, and 32 MiB for them;
    packed or not.
    """
    case = CASES[name]
    budget = 32 * MiB
    tuner = Options(latency=Latency(median=1.0), keep_bodies=0)
    async with deployment(cluster, tuner, partitions=PARTITIONS) as here:
        await here.publish(backlog(case), case.settings)
        settings = {"INGESTOR_MAX_BUFFER_BYTES": str(budget)}
        async with here.service(settings) as running:
            waiting = await fill(here, running)
            used = most_resident(running.pid)

    bound = CODE + FACTOR * budget + PARTITIONS * (budget // 128 + case.batch_bytes)
    assert budget / 2 < waiting <= budget
    assert used < bound, f"{used / MiB:.0f} MiB of {bound / MiB:.0f}"


async def test_an_outage_of_tuner_takes_no_memory(cluster: Cluster) -> None:
    """However much waits behind it: what fits is held, the rest stays in Kafka, and whoever tries
    leaves nothing behind. The partitions are kept.
    """
    tuner = Options(faults=(Window(fault=Reply(503, body="html"), seconds=1e6),), keep_bodies=0)
    settings = {"INGESTOR_MAX_BUFFER_BYTES": str(16 * MiB), "INGESTOR_BACKOFF_MAX_SECONDS": "2"}
    async with deployment(cluster, tuner, partitions=PARTITIONS) as here:
        await here.publish(islice(backlog(CASES["plain"]), EVENTS // 4))
        async with here.service(settings) as running:
            await running.until_said("outage")
            await asyncio.sleep(SETTLING_SECONDS)
            before = resident(running.pid), await running.metric("ingestor_waiting_records")
            await asyncio.sleep(OUTAGE_SECONDS)
            after = resident(running.pid), await running.metric("ingestor_waiting_records")
            here.tuner.clear_faults()
            await running.until(lambda: len(here.tuner.calls) > 2 * before[1])
            assert len(running.entries_of("partitions_assigned")) == 1

    assert after[1] == before[1] > 100
    assert after[0] - before[0] < FLAT, f"{(after[0] - before[0]) / MiB:.1f} MiB more"


async def fill(here: Deployment, running: ServiceProcess) -> float:
    """Let the service work until some hundred calls are through; return the most that waited."""
    most = 0.0

    async def is_through() -> bool:
        nonlocal most
        most = max(most, await running.metric("ingestor_waiting_bytes"))
        return len(here.tuner.calls) >= 200

    await running.until(is_through, within=90)
    return most
