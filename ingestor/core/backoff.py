"""How long to wait before the next attempt: exponential, with full jitter.

Full jitter (a uniform draw from zero to the ceiling) spreads the retries of many records best; see
Brooker, "Exponential Backoff and Jitter", 2015.
"""

from dataclasses import dataclass

# 2 ** 64 seconds is longer than anything; a float overflows after some 1,024 doublings.
_MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """A first ceiling of *base* seconds that doubles with each attempt up to *longest* seconds."""

    base: float
    longest: float

    def delay(self, attempt: int, roll: float) -> float:
        """Compute the wait in seconds after *attempt* (from 1) with a *roll* in [0, 1)."""
        return roll * self.ceiling(attempt)

    def ceiling(self, attempt: int) -> float:
        """Compute the longest wait after *attempt*."""
        return min(self.longest, self.base * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
