"""Counts what happens to every record: an addition each time, and the form that Prometheus wants
when somebody asks.

The counters of its client take a lock for each; with their labels they were a tenth of the road.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

BEYOND = float("inf")


class Counts(Collector):
    """How often something happened, by the values of its *labels*."""

    def __init__(self, name: str, help_text: str, *labels: str) -> None:
        self._name = name
        self._help_text = help_text
        self._labels = labels
        self._counts: Counter[tuple[object, ...]] = Counter()

    def begin(self, *values: object) -> None:
        """Show these *values* before there is anything to count."""
        self._counts[values] += 0

    def add(self, *values: object) -> None:
        """Count one more with these *values*, which are written as text when somebody asks."""
        self._counts[values] += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Write them in Prometheus' form."""
        family = CounterMetricFamily(self._name, self._help_text, labels=self._labels)
        for values, count in self._counts.items():
            family.add_metric(list(map(str, values)), count)
        yield family


class Durations(Collector):
    """How long something took in seconds: how many times up to each of the *bounds*, in all, and
    the sum.
    """

    def __init__(self, name: str, help_text: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._help_text = help_text
        self._bounds = (*map(float, bounds), BEYOND)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Write them in Prometheus' form."""
        bounds = map(floatToGoString, self._bounds)
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(self._name, self._help_text, buckets, self._sum)
