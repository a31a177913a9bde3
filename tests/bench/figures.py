"""Decides what runs come to: the best of several, the median, and whether a goal is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import assert_never

import msgspec

# Of repeated runs the best is the one least disturbed by the machine. Memory is no such figure:
# there the worst counts, since a machine must have it.
_MORE_IS_BETTER = frozenset({"rate", "steady", "memory_mib"})


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a *peer* at a *work*.

    *rate* is of accepted calls a second, from the first request to the last arrival, *steady* that
    of the middle nine tenths; *cpu_us* is processor time per call of all its processes, from the
    first arrival on, *machine_us* that of all processes there are, broker and sink included;
    *missing* were not there when it ended. A figure that was not measured is None.
    """

    work: str
    peer: str
    accepted: int = 0
    duplicates: int = 0
    missing: int = 0
    failed: int = 0
    connections: int = 0
    in_flight: int = 0
    rate: float | None = None
    steady: float | None = None
    cpu_us: float | None = None
    machine_us: float | None = None
    memory_mib: float | None = None
    joining_seconds: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """Names one figure of a *peer* at a *work*: a field of a run."""

    work: str
    peer: str
    name: str

    def values(self, runs: Sequence[Run]) -> list[float]:
        """Give what was measured of it, in runs in which every call arrived."""
        mine = [run for run in runs if (run.work, run.peer) == (self.work, self.peer)]
        found = [getattr(run, self.name) for run in mine if not run.missing]
        return [value for value in found if value is not None]

    def best(self, runs: Sequence[Run]) -> float | None:
        """Give the best of it; of memory the worst. None when nothing was measured."""
        values = self.values(runs)
        if not values:
            return None
        return max(values) if self.name in _MORE_IS_BETTER else min(values)

    def median(self, runs: Sequence[Run]) -> float | None:
        """Give the median of it. None when nothing was measured."""
        values = self.values(runs)
        return median(values) if values else None


@dataclass(frozen=True, slots=True)
class Goal:
    """What the ratio of *top* to *bottom* is to be: at *least*, or at *most*."""

    title: str
    top: Figure
    bottom: Figure | float
    least: float | None = None
    most: float | None = None


class Reached(msgspec.Struct, frozen=True):
    """What was reached of a goal: *best* to best and *median* to median; None when it was not
    measured. *verdict* is about the best: "met", "missed by 3 %" or "not measured".
    """

    title: str
    target: str
    best: float | None
    median: float | None
    verdict: str


def weigh(goal: Goal, runs: Sequence[Run]) -> Reached:
    """Compare what was measured with *goal*."""
    best = _ratio(goal.top.best(runs), _bottom(goal.bottom, runs, "best"))
    middle = _ratio(goal.top.median(runs), _bottom(goal.bottom, runs, "median"))
    return Reached(goal.title, target(goal), best, middle, verdict(goal, best))


def target(goal: Goal) -> str:
    """Say what is to be reached."""
    return f"≥ {goal.least:g}" if goal.least is not None else f"≤ {goal.most:g}"


def verdict(goal: Goal, reached: float | None) -> str:
    """Say whether *reached* is enough, and if not, by how much of the target it is missed."""
    if reached is None:
        return "not measured"
    if goal.least is not None:
        short = 1 - reached / goal.least
    else:
        assert goal.most is not None
        short = reached / goal.most - 1
    return "met" if short <= 0 else f"missed by {max(short, 0.001):.1%}".replace("%", " %")


def _bottom(bottom: Figure | float, runs: Sequence[Run], kind: str) -> float | None:
    match bottom:
        case Figure():
            return bottom.best(runs) if kind == "best" else bottom.median(runs)
        case float():
            return bottom
        case unknown:
            assert_never(unknown)


def _ratio(top: float | None, bottom: float | None) -> float | None:
    return None if top is None or not bottom else top / bottom


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest of *values* that at least *share* of them do not exceed.

    ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
