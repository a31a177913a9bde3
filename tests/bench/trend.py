"""Decides whether a figure that was sampled over time stays flat."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

# A process that has just begun still fills its caches: that part is no trend.
WARM_UP = 0.2
_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Trend:
    """A line fitted to samples: their *mean*, what they grew by while they were taken (*growth*),
    and *per_hour*; *is_flat* when they grew by no more than was allowed.
    """

    name: str
    mean: float
    growth: float
    per_hour: float
    is_flat: bool


def trend(name: str, samples: Sequence[tuple[float, float]], allowed: float) -> Trend:
    """Fit a line to *samples* (seconds, value), by least squares and without the warm-up; *allowed*
    is what they may grow by. ValueError with fewer than three samples.
    """
    begin, end = samples[0][0], samples[-1][0]
    kept = [(at, value) for at, value in samples if at >= begin + WARM_UP * (end - begin)]
    if len(kept) < 3:
        raise ValueError(f"{len(kept)} samples of {name} say nothing")
    middle, mean = fmean(at for at, _ in kept), fmean(value for _, value in kept)
    spread = sum((at - middle) ** 2 for at, _ in kept)
    slope = sum((at - middle) * (value - mean) for at, value in kept) / spread
    growth = slope * (kept[-1][0] - kept[0][0])
    return Trend(name, mean, growth, slope * _SECONDS_AN_HOUR, growth <= allowed)
