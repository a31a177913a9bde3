"""Has one peer do one work, and measures it."""

import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from bench import topics
from bench.figures import Run, percentile
from bench.owning import owned
from bench.peers import Place, Starter
from bench.processes import cpu_seconds, machine_seconds, peak_mib
from bench.sink import Count, Sink, Story, running_sink
from bench.works import Work
from kafka.cluster import Cluster

# How often it is looked at how far a peer has come: more often would take processor time from it.
_LOOK_SECONDS = 0.05
_START_SECONDS = 60.0
_SILENT_SECONDS = 15.0  # longer than a retry's usual pause
# Peers commit once a second at most, and nobody tells that they have and wait for more.
_REST_SECONDS = 1.0
FEW = 48  # events that warm up what then waits for a trickle
_NS = 1e9


@dataclass(frozen=True, slots=True)
class Reading:
    """What had arrived, and the processor time that was used for it, by the peer and by all, in
    seconds.
    """

    count: Count
    cpu: float
    machine: float


def run(peer: str, work: Work, starter: Starter, *, cluster: Cluster, topic: str) -> Run:
    """Let *peer* do *work* on *topic*, with a sink and a group of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(
            running_sink(
                folder,
                delay_ms=work.delay_ms,
                failing=work.failing,
                failure=work.failure,
                tls=work.tls,
            )
        )
        group = f"bench-{uuid4().hex[:8]}"
        start = starter(work, Place(cluster.address, topic, group, sink.url, sink.ca_file))
        logs = [folder / f"log-{number}" for number in range(work.processes)]
        pids = [
            stack.enter_context(
                owned(start.command, start.environ, stderr=stack.enter_context(log.open("wb")))
            ).pid
            for log in logs
        ]
        if work.trickle:
            _trickle(work, sink, cluster, topic)
        first, last = _watch(sink, pids, work.enough or work.events)
        memory = peak_mib(pids)
        return _summed(peer, work, sink.story(), (first, last), memory=memory, joined=_joined(logs))


def _trickle(work: Work, sink: Sink, cluster: Cluster, topic: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while sink.count().distinct < FEW:
        if time.monotonic() > deadline:
            raise TimeoutError("nothing was delivered")
        time.sleep(_LOOK_SECONDS)
    rest()
    publish(work, cluster, topic)


def rest() -> None:
    """Let everybody who has read commit, and wait for more."""
    time.sleep(_REST_SECONDS)


def publish(work: Work, cluster: Cluster, topic: str) -> None:
    """Publish the trickle of *work*, behind the `FEW` that are there."""
    topics.publish(
        cluster, topic, work.events - FEW, size=work.size, partitions=work.partitions,
        rate=work.trickle,
    )  # fmt: skip


def _watch(sink: Sink, pids: Sequence[int], enough: int) -> tuple[Reading, Reading]:
    """Look on until *enough* calls are there, or nothing comes any more; return a reading when
    the first calls were there and one at the end.
    """
    first, last = None, Reading(Count(0, 0, 0), 0.0, 0.0)
    since = time.monotonic()
    while last.count.distinct < enough:
        time.sleep(_LOOK_SECONDS)
        count = sink.count()
        if count != last.count:
            since = time.monotonic()
        elif time.monotonic() - since > (_SILENT_SECONDS if first else _START_SECONDS):
            break
        last = Reading(count, cpu_seconds(pids), machine_seconds())
        if first is None and count.accepted:
            first = last
    return first or last, last


def _summed(
    peer: str,
    work: Work,
    story: Story,
    readings: tuple[Reading, Reading],
    *,
    memory: float,
    joined: float | None,
) -> Run:
    first, last = readings
    between = last.count.accepted - first.count.accepted
    wanted = min(work.enough or work.events, work.events)
    return Run(
        work=work.name,
        peer=peer,
        accepted=story.accepted,
        duplicates=story.accepted - story.distinct,
        missing=max(0, wanted - story.distinct),
        failed=story.failed,
        connections=story.connections,
        in_flight=story.peak,
        rate=whole_rate(story),
        steady=steady_rate(story),
        cpu_us=1e6 * (last.cpu - first.cpu) / between if between else None,
        machine_us=1e6 * (last.machine - first.machine) / between if between else None,
        memory_mib=memory,
        joining_seconds=story.first_ns / _NS - joined if joined and story.first_ns else None,
        p50_ms=percentile(story.lags_ms, 0.5) if story.lags_ms else None,
        p99_ms=percentile(story.lags_ms, 0.99) if story.lags_ms else None,
    )


def whole_rate(story: Story) -> float | None:
    """Give calls a second from the first request to the last arrival."""
    if not story.accepted:
        return None
    return story.accepted / max(1e-9, (story.times_ns[-1] - story.first_ns) / _NS)


def steady_rate(story: Story) -> float | None:
    """Give calls a second of the middle nine tenths."""
    if not story.accepted:
        return None
    parts = len(story.times_ns) - 1
    early, late = parts * 5 // 100, parts * 95 // 100
    seconds = (story.times_ns[late] - story.times_ns[early]) / _NS
    return story.accepted * (late - early) / parts / max(1e-9, seconds)


def _joined(logs: Sequence[Path]) -> float | None:
    """Find when the service was first given partitions, in seconds since 1970."""
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
    found = [_when(line) for line in lines if '"partitions_assigned"' in line]
    return min(found, default=None)


def _when(line: str) -> float:
    return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
