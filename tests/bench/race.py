"""Races the service against its peers on a real Kafka and one sink, and sweeps what it costs.

    PYTHONPATH=tests .venv/bin/python -m bench.race --json race.json

Every peer reads the same topic with a group of its own and posts to a fresh sink. A machine changes
its pace from minute to minute: those that are compared take turns until each had three, and the
best one counts. What cannot be built here is named.
"""

import argparse
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from bench import heat, load, machine, reader, tables
from bench.arena import Arena, opened
from bench.building import NotHereError, sink
from bench.figures import Reached, Run, weigh
from bench.machine import Machine
from bench.peers import Starter, starters
from bench.works import GOALS, READER, SERVICE, WORKS, WRK, Work, scaled, turns


class Race(msgspec.Struct, frozen=True):
    """All that was measured in one invocation, where, and why some peers are *missing*."""

    machine: Machine
    rounds: int
    missing: dict[str, str]
    runs: list[Run]
    reached: list[Reached]


def race(
    arena: Arena,
    works: Sequence[Work],
    ready: Mapping[str, Starter],
    *,
    missing: Collection[str],
    rounds: int,
) -> Iterator[Run]:
    """Let all who are *ready* do each of *works*, in turns; and what shows where it ends: wrk needs
    no Kafka, and a reader no sink.
    """
    for work, peer in turns(works, rounds):
        if peer in ready:
            topic = arena.topic(work)
            yield heat.run(peer, work, ready[peer], cluster=arena.cluster, topic=topic)
        elif peer == WRK and WRK not in missing:
            yield load.run(work)
        elif peer == READER:
            yield reader.run(work, cluster=arena.cluster, topic=arena.topic(work))


def say(line: str = "") -> None:
    """Print *line* at once."""
    print(line, flush=True)  # noqa: T201 - what it is for


def progress(run: Run) -> None:
    """Say what came of a run."""
    figures = {
        "events/s": run.rate,
        "us CPU": run.cpu_us,
        "MiB": run.memory_mib,
        "s from joining": run.joining_seconds,
    }
    told = ", ".join(
        f"{tables.number(value)} {name}" for name, value in figures.items() if value is not None
    )
    say(f"{run.work}: {run.peer}: {told}; {tables.notes([run])}")


def keep(file: Path, result: msgspec.Struct) -> None:
    """Write *result* as JSON; after every run, so that none is lost when it is interrupted."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(result)))


def report(race_of_it: Race, works: Sequence[Work]) -> None:
    """Print a table for each work, and what was reached."""
    for work in works:
        say(f"\n{work.title}")
        say(tables.text(*tables.work(work.name, work.peers, race_of_it.runs, ours=SERVICE)))
    say()
    say(tables.text(*tables.reached(race_of_it.reached)))
    for peer, reason in race_of_it.missing.items():
        say(f"left out: {peer}: {reason}")


def main() -> int:
    """Race, print tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--works", help="names of works, by commas (all if none)")
    parser.add_argument("--peers", help="names of peers, by commas (all if none)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each peer at each work")
    parser.add_argument("--share", type=float, default=1.0, help="of the events: less is quicker")
    parser.add_argument("--json", type=Path, default=Path("race.json"), help="where to write")
    given = parser.parse_args()
    names = given.works.split(",") if given.works else [work.name for work in WORKS]
    works = [scaled(work, given.share) for work in WORKS if work.name in names]
    here = machine.describe()
    try:
        sink()
    except NotHereError as error:
        say(f"nothing to race to: the sink: {error}")
        return 1
    ready, missing = starters()
    if given.peers:
        ready = {name: it for name, it in ready.items() if name in given.peers.split(",")}
    result = Race(here, given.rounds, missing, [], [])
    with opened() as arena:
        for run in race(arena, works, ready, missing=missing, rounds=given.rounds):
            progress(run)
            runs = [*result.runs, run]
            goals = [weigh(goal, runs) for goal in GOALS]
            result = Race(here, given.rounds, missing, runs, goals)
            keep(given.json, result)
    report(result, works)
    return 0


if __name__ == "__main__":
    sys.exit(main())
