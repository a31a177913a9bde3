"""Runs chaos for a long time and watches what services that are never killed hold meanwhile.

    PYTHONPATH=tests .venv/bin/python -m bench.soak --minutes 30 --rate 100 --samples soak.jsonl

Every few seconds a line of JSON; at the end the laws of chaos, and a line fitted to every figure.
Exit code 1 when a law was broken or something grew.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import aiohttp
from bench.soak_plan import WATCHED, soak_plan
from bench.trend import Trend, trend
from kafka.jars import fetch
from system.chaos.fleet import Slot
from system.chaos.laws import violations
from system.chaos.proxied_kafka import ProxiedKafka, proxied_kafka
from system.chaos.world import World, keep, world

from ingestor.devkit.fake_tuner.background import background

SAMPLE_SECONDS = 5.0
# By how much each figure of a service may grow from the first to the last sample.
ALLOWED: Mapping[str, float] = {
    "resident_mib": 12.0,
    "files": 32.0,  # a connection for each slot comes and goes
    "threads": 2.0,
    "waiting_records": 150.0,
    "waiting_mib": 4.0,
    "slots_in_use": 16.0,
}
ALLOWED_OF_THE_GROUP: Mapping[str, float] = {"memo_characters": 400.0, "lag": 1_500.0}
_METRICS = ("waiting_records", "slots_in_use")


async def soak(world_of_it: World, samples: TextIO) -> list[Trend]:
    """Run it, write *samples*, and judge them."""
    taken: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    async def watch() -> None:
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            figures = await sample(world_of_it)
            now = round(world_of_it.now(), 1)
            for name, value in figures.items():
                taken[name].append((now, value))
            samples.write(json.dumps({"seconds": now, **figures}) + "\n")
            samples.flush()

    async with background() as tasks:
        tasks.start(watch())
        await world_of_it.run()
    return [
        trend(name, values, _allowed(name)) for name, values in taken.items() if len(values) > 3
    ]


async def sample(it: World) -> dict[str, float]:
    """Measure the watched services and the group; what does not answer now is left out."""
    figures: dict[str, float] = {"delivered": len(it.here.tuner.calls)}
    for slot in it.slots[:WATCHED]:
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(SAMPLE_SECONDS / 2):
                found = await _of(slot)
            figures |= {f"{name} of {slot.number}": value for name, value in found.items()}
    if it.seen.readings:
        committed = it.seen.readings[-1].committed
        figures["memo_characters"] = max(
            (len(one.metadata) for one in committed.values()), default=0
        )
        done = sum(one.offset for one in committed.values())
        figures["lag"] = len(it.seen.events) - done
    return figures


async def _of(slot: Slot) -> dict[str, float]:
    vitals = slot.vitals()
    running = slot.living
    assert running is not None
    found = {
        "resident_mib": round(vitals.resident / 2**20, 2),
        "files": float(vitals.files),
        "threads": float(vitals.threads),
        "waiting_mib": round(await running.metric("ingestor_waiting_bytes") / 2**20, 3),
    }
    return found | {name: await running.metric(f"ingestor_{name}") for name in _METRICS}


def _allowed(name: str) -> float:
    own, _, of_service = name.partition(" of ")
    return ALLOWED[own] if of_service else ALLOWED_OF_THE_GROUP.get(own, float("inf"))


async def run(kafka: ProxiedKafka, options: argparse.Namespace, samples: TextIO) -> int:
    """Soak, and report; return the exit code."""
    plan = soak_plan(options.seed, minutes=options.minutes, rate=options.rate)
    async with world(plan, kafka) as it:
        trends = await soak(it, samples)
        stops = [await slot.stop() for slot in it.slots]
        seen = await it.collect()
    broken = violations(seen)
    for line in report(trends):
        sys.stdout.write(f"{line}\n")
    requests = sum(map(len, seen.requests.values()))
    sys.stdout.write(
        f"seed {options.seed}: {len(seen.events)} events, {requests} requests, "
        f"{len(seen.letters)} letters, {len(seen.incidents)} incidents, "
        f"slowest stop {max(stops):.1f} s\n"
    )
    if broken:
        sys.stdout.write(keep(it, broken, options.samples.with_suffix(".story.txt")) + "\n")
    return 1 if broken or not all(found.is_flat for found in trends) else 0


def report(trends: list[Trend]) -> Iterator[str]:
    """Say of each figure whether it is flat."""
    for found in trends:
        verdict = "flat" if found.is_flat else "GROWING"
        yield (
            f"{found.name:24} {verdict:8} mean {found.mean:10.2f}  "
            f"grew {found.growth:+9.2f}  an hour {found.per_hour:+10.2f}"
        )


def main() -> int:
    """Read the options and soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=100, help="events a second")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--samples", type=Path, default=Path("soak.jsonl"), help="JSON lines")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        proxied_kafka(Path(folder), fetch(os.environ), WATCHED + 1) as kafka,
        options.samples.open("w") as samples,
    ):
        return asyncio.run(run(kafka, options, samples))


if __name__ == "__main__":
    sys.exit(main())
