"""Writes the measured tables of the README from the results that are kept beside this module.

    PYTHONPATH=tests .venv/bin/python -m bench.readme

Each table stands between two comments, `<!-- bench: NAME -->` and `<!-- /bench -->`.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from bench import sizing, tables
from bench.figures import Figure, Run, weigh
from bench.parts import Parts
from bench.race import Race
from bench.sweeps import SWEEPS, Sweep, Swept
from bench.works import (
    BENTO,
    GATHER,
    GOALS,
    INTERPRETED,
    PARALLEL,
    READER,
    SERVICE,
    WORKS,
    WRK,
)

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[2] / "README.md"
_PEERS = (SERVICE, INTERPRETED, BENTO, PARALLEL, GATHER)
_BLOCK = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    race: Race
    swept: Swept
    parts: Parts


def results(folder: Path = RESULTS) -> Results:
    """Read what was measured."""
    return Results(
        msgspec.json.decode((folder / "race.json").read_bytes(), type=Race),
        msgspec.json.decode((folder / "sweeps.json").read_bytes(), type=Swept),
        msgspec.json.decode((folder / "parts.json").read_bytes(), type=Parts),
    )


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """Put *blocks* where *text* has their names. KeyError for a name that is not among them."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]}\n\n{found[3]}", text)


def blocks(found: Results) -> dict[str, str]:
    """Write every table."""
    goals = [weigh(goal, found.race.runs) for goal in GOALS]
    return {
        "machine": _machine(found),
        "goals": tables.markdown(*tables.reached(goals)),
        "peers": tables.markdown(*peers(found.race.runs)),
        "ends": tables.markdown(*ends(found.race.runs)),
        "sweeps": tables.markdown(*swept(found.swept.runs)),
        "parts": tables.markdown(
            ["part", "µs of CPU"],
            [[part.name, f"{part.best_ns / 1000:,.2f}"] for part in found.parts.parts],
        ),
        "plans": tables.markdown(*planned()),
        "sizing": tables.markdown(*checked(found.swept.runs)),
    }


def _machine(found: Results) -> str:
    """Say where it was measured, on which commits, and how busy the machine was."""
    here = found.race.machine
    kinds: dict[str, Race | Swept | Parts] = {
        "races": found.race,
        "sweeps": found.swept,
        "parts": found.parts,
    }
    commits = ", ".join(f"{name} at `{it.machine.commit}`" for name, it in kinds.items())
    busy = ", ".join(f"{it.machine.load:.0f}" for it in kinds.values())
    return (
        f"Measured on {here.cores} cores ({here.processor}) with {here.memory_gib:.0f} GiB, "
        f"Python {here.python}: {commits}. When they began, {busy} processes of others wanted "
        f"those cores. Best of {found.race.rounds} turns in the races, of {found.swept.rounds} in "
        f"the sweeps."
    )


def peers(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Lay out what each peer reached at each work that more than one did."""
    head = ["events/s, µs of CPU each, MiB", *_PEERS]
    rows = [
        [work.title, *(_cell(work.name, peer, runs) for peer in _PEERS)]
        for work in WORKS
        if len(work.peers) > 1 and Figure(work.name, SERVICE, "rate").values(runs)
    ]
    return head, rows


def _cell(work: str, peer: str, runs: Sequence[Run]) -> str:
    lags = [Figure(work, peer, name).best(runs) for name in ("p50_ms", "p99_ms")]
    if None not in lags:
        return f"{' / '.join(map(tables.number, lags))} ms"
    figures = ("rate", "cpu_us", "memory_mib")
    values = [Figure(work, peer, name).best(runs) for name in figures]
    return "-" if values[0] is None else ", ".join(map(tables.number, values))


def ends(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Lay out what can be reached at all."""
    titles = {work.name: work.title for work in WORKS}
    shown = {
        f"{titles['plain']}: events/s of wrk, one thread, no Kafka": Figure("plain", WRK, "rate"),
        f"{titles['trickle']}: p50 of who only reads, ms": Figure("trickle", READER, "p50_ms"),
        f"{titles['trickle']}: p99 of who only reads, ms": Figure("trickle", READER, "p99_ms"),
    } | {
        f"{titles[work]}: µs of CPU each of all processes, with {peer}": Figure(
            work, peer, "machine_us"
        )
        for work, peer in [
            ("plain", WRK),
            *((work, peer) for work in ("plain", "tls", "30kb") for peer in (SERVICE, BENTO)),
        ]
    }
    return ["", "best", "median"], [
        [title, tables.number(it.best(runs)), tables.number(it.median(runs))]
        for title, it in shown.items()
    ]


def swept(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Lay out all sweeps, one below the other."""
    rows = []
    for sweep in SWEEPS:
        for work in sweep.works:
            values = [
                tables.number(Figure(work.name, SERVICE, name).best(runs))
                for name in ("steady", "cpu_us", "memory_mib")
            ]
            rows.append([f"{sweep.title}: {work.title}", *values])
    return ["", "events/s", "µs of CPU each", "MiB"], rows


def planned() -> tuple[list[str], list[list[str]]]:
    """Lay out what the examples of platforms need."""
    head = ["", "processes", "slots of each", "partitions", "room, MiB", "memory of each, MiB"]
    rows = []
    for title, load in sizing.EXAMPLES.items():
        plan = sizing.plan(load)
        needs = (plan.processes, plan.slots, plan.partitions, plan.buffer_mib, plan.memory_mib)
        rows.append([title, *map(str, needs)])
    return head, rows


def checked(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Compare the sizing formula with what was measured: calls a second where the slots decide,
    processor time by size, memory by what waits.
    """
    by_name = {sweep.name: sweep for sweep in SWEEPS}
    rows = [
        *_rates(by_name["slots"], runs),
        *_rates(by_name["processes"], runs),
        *_costs(by_name["size"], runs),
        *_memory(by_name["backlog"], runs),
    ]
    return ["", "formula", "measured"], rows


def _rates(sweep: Sweep, runs: Sequence[Run]) -> list[list[str]]:
    rows = []
    for work in sweep.works:
        formula = sizing.rate(
            slots=work.slots,
            latency=work.delay_ms / 1000,
            body=work.size,
            processes=work.processes,
        )
        measured = Figure(work.name, SERVICE, "steady").best(runs)
        title = f"{sweep.title}: {work.title}, calls a second"
        rows.append([title, tables.number(formula), tables.number(measured)])
    return rows


def _costs(sweep: Sweep, runs: Sequence[Run]) -> list[list[str]]:
    return [
        [
            f"{work.title}, µs of CPU at most",
            tables.number(sizing.cpu_us(work.size)),
            tables.number(Figure(work.name, SERVICE, "cpu_us").best(runs)),
        ]
        for work in sweep.works
    ]


def _memory(sweep: Sweep, runs: Sequence[Run]) -> list[list[str]]:
    return [
        [
            f"{work.title} waiting, MiB at most",
            tables.number(sizing.memory_mib(sizing.USUAL_BUFFER_MIB, partitions=work.partitions)),
            tables.number(Figure(work.name, SERVICE, "memory_mib").best(runs)),
        ]
        for work in sweep.works
    ]


def main() -> int:
    """Write the tables into the README."""
    README.write_text(filled(README.read_text(), blocks(results())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
