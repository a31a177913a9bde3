"""The limiters that `core.limiter` was chosen from, in their published form."""

from math import log10, sqrt
from typing import Protocol

from ingestor.core.sign import Sign


class AnyLimiter(Protocol):
    """What the bench drives."""

    @property
    def limit(self) -> int:
        """How many requests may be under way."""
        ...

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:
        """Weigh an answer."""
        ...


class Fixed:
    """No adaptation at all."""

    def __init__(self, most: int) -> None:
        self.limit = most

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:
        """Learn nothing."""


class Aimd:
    """Additive increase by one for each round of answers, times 0.7 on push-back (Jacobson 1988,
    as in TCP Reno, with its slow start).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(16, most))
        self._threshold = float(most)
        self._shrunk = float("-inf")

    @property
    def limit(self) -> int:
        """How many requests may be under way."""
        return int(self._limit)

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:
        """Grow on a good answer, shrink once a round on a bad one."""
        if what is Sign.FINE:
            if in_flight >= self._limit * 0.75:
                step = 1 if self._limit < self._threshold else 1 / self._limit
                self._limit = min(self._limit + step, float(self._most))
        elif what is not Sign.NONE and now - seconds >= self._shrunk:
            self._limit = self._threshold = max(1.0, self._limit * 0.7)
            self._shrunk = now


class Vegas:
    """The queue at the server, estimated from the smallest latency ever seen, is kept between 3 and
    6 times log10(limit) (Brakmo 1994; thresholds of Netflix concurrency-limits).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(16, most))
        self._least = float("inf")

    @property
    def limit(self) -> int:
        """How many requests may be under way."""
        return int(self._limit)

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:  # noqa: ARG002 - it has no clock
        """Compare with the smallest latency."""
        if what is Sign.NONE:
            return
        weight = max(1.0, log10(self._limit))
        if what is not Sign.FINE:
            self._limit = max(1.0, self._limit - weight)
            return
        self._least = min(self._least, seconds)
        if in_flight * 2 < self._limit:
            return
        queue = self._limit * (1 - self._least / seconds)
        if queue <= weight:
            self._limit += 6 * weight
        elif queue < 3 * weight:
            self._limit += weight
        elif queue > 6 * weight:
            self._limit -= weight
        self._limit = min(max(1.0, self._limit), float(self._most))


class Gradient2:
    """The limit follows the ratio of long-run to present latency (Netflix concurrency-limits,
    Gradient2Limit: long window 600, tolerance 1.5, queue 4, smoothing 0.2).
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(20, most))
        self._long = 0.0
        self._count = 0

    @property
    def limit(self) -> int:
        """How many requests may be under way."""
        return int(self._limit)

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:  # noqa: ARG002 - it has no clock
        """Follow the gradient; push-back halves at most, as latency without bound would."""
        if what is Sign.NONE:
            return
        if what is not Sign.FINE:
            self._limit = max(1.0, self._limit * (1 - 0.2 * 0.5))
            return
        self._count += 1
        weight = 1 / self._count if self._count <= 10 else 2 / 601
        self._long += (seconds - self._long) * weight
        if self._long / seconds > 2:
            self._long *= 0.95
        if in_flight < self._limit / 2:
            return
        gradient = max(0.5, min(1.0, 1.5 * self._long / seconds))
        wanted = self._limit * gradient + 4
        self._limit = min(max(1.0, self._limit * 0.8 + wanted * 0.2), float(self._most))


class GradientSqrt(Gradient2):
    """The same with the smallest of recent latencies instead of the mean (Gradient1)."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._least = float("inf")

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:  # noqa: ARG002 - it has no clock
        """Follow the gradient from the smallest latency."""
        if what is Sign.NONE:
            return
        if what is not Sign.FINE:
            self._limit = max(1.0, self._limit * 0.9)
            return
        self._least = min(self._least, seconds)
        if in_flight < self._limit / 2:
            return
        gradient = max(0.5, min(1.0, 2 * self._least / seconds))
        wanted = self._limit * gradient + sqrt(self._limit)
        self._limit = min(max(1.0, self._limit * 0.8 + wanted * 0.2), float(self._most))
