"""Shows how the cost of the service grows, along one dimension at a time.

    PYTHONPATH=tests .venv/bin/python -m bench.sweeps --json sweeps.json

All values of a dimension take turns; the best of the turns counts.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from bench import heat, machine, peers, tables
from bench.arena import Arena, opened
from bench.figures import Figure, Run
from bench.machine import Machine
from bench.race import keep, progress, say
from bench.works import BACKLOGS, SERVICE, Work, backlog, scaled

_EVENTS = 20_000
_SLOTS = (1, 8, 64, 256, 512)
_SLOT_EVENTS = (500, 4_000, _EVENTS, _EVENTS, _EVENTS)  # about as many seconds for each
_SIZES = (1_000, 4_000, 30_000, 100_000, 300_000, 1_000_000)
_MOST_BYTES = 150_000_000
_PLAIN = Work(name="", title="", events=_EVENTS)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A dimension: how the *works* along it are told apart."""

    name: str
    title: str
    works: tuple[Work, ...]


class Swept(msgspec.Struct, frozen=True):
    """All that was measured in one invocation, and where."""

    machine: Machine
    rounds: int
    runs: list[Run]


def _named(sweep: str, works: Iterator[tuple[str, Work]]) -> tuple[Work, ...]:
    return tuple(replace(work, name=f"{sweep} {title}", title=title) for title, work in works)


SWEEPS = (
    Sweep(
        "slots",
        "slots (4 KB, 20 ms)",
        _named(
            "slots",
            (
                (str(slots), replace(_PLAIN, slots=slots, delay_ms=20, events=events))
                for slots, events in zip(_SLOTS, _SLOT_EVENTS, strict=True)
            ),
        ),
    ),
    Sweep(
        "partitions",
        "partitions (4 KB, 0 ms)",
        _named(
            "partitions",
            ((str(count), replace(_PLAIN, partitions=count)) for count in (1, 3, 12, 48)),
        ),
    ),
    Sweep(
        "size",
        "body (0 ms)",
        _named(
            "size",
            (
                (
                    f"{size // 1000:,} KB",
                    replace(_PLAIN, size=size, events=min(_EVENTS, _MOST_BYTES // size)),
                )
                for size in _SIZES
            ),
        ),
    ),
    Sweep(
        "backlog",
        "waiting events (4 KB, 0 ms)",
        _named("backlog", ((f"{events:,}", backlog(events)) for events in BACKLOGS)),
    ),
    Sweep(
        "processes",
        "processes (4 KB, 200 ms, 512 slots)",
        _named(
            "processes",
            (
                (str(count), replace(_PLAIN, delay_ms=200, slots=512, processes=count))
                for count in (1, 2)
            ),
        ),
    ),
)


def sweep(
    arena: Arena, service: peers.Starter, works: Sequence[Work], rounds: int
) -> Iterator[Run]:
    """Let the *service* do each of *works*, in turns."""
    for _ in range(rounds):
        for work in works:
            topic = arena.topic(work)
            yield heat.run(SERVICE, work, service, cluster=arena.cluster, topic=topic)


def layout(one: Sweep, runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Lay out what a sweep found."""
    head = [one.title, "events/s", "CPU per event, µs", "memory, MiB"]
    figures = ("steady", "cpu_us", "memory_mib")
    return head, [
        [
            work.title,
            *(tables.number(Figure(work.name, SERVICE, figure).best(runs)) for figure in figures),
        ]
        for work in one.works
    ]


def main() -> int:
    """Sweep, print tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", help="names of sweeps, by commas (all if none)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each value")
    parser.add_argument("--share", type=float, default=1.0, help="of the events: less is quicker")
    parser.add_argument("--json", type=Path, default=Path("sweeps.json"), help="where to write")
    given = parser.parse_args()
    names = given.sweeps.split(",") if given.sweeps else [one.name for one in SWEEPS]
    chosen = [one for one in SWEEPS if one.name in names]
    service, reason = peers.service()
    if reason:
        say(f"not compiled: {reason}")
    here, runs = machine.describe(), list[Run]()
    with opened() as arena:
        for one in chosen:
            works = [scaled(it, given.share) for it in one.works]
            for run in sweep(arena, service, works, given.rounds):
                progress(run)
                runs.append(run)
                keep(given.json, Swept(here, given.rounds, runs))
    for one in chosen:
        say(f"\n{tables.text(*layout(one, runs))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
