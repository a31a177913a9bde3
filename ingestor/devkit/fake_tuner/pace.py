"""Makes serving take time: so many requests at once, each so long."""

import asyncio
import math
import random
from contextlib import nullcontext

from ingestor.devkit.fake_tuner.options import Latency


class Pace:
    """Serve at most *capacity* requests at once, each for a while; the rest wait their turn."""

    def __init__(self, latency: Latency, capacity: int | None, seed: int) -> None:
        self._latency = latency
        self._places = asyncio.Semaphore(capacity) if capacity is not None else nullcontext()
        self._dice = random.Random(seed)  # noqa: S311 - a seeded practice run, no secret

    async def take(self) -> None:
        """Wait for a place and then for as long as this request takes."""
        async with self._places:
            if self._latency.median:
                await asyncio.sleep(self.roll())

    def roll(self) -> float:
        """Return how many seconds the next request takes."""
        return self._latency.median * math.exp(self._dice.gauss(0, self._latency.spread))


class Throttle:
    """Let *rate* requests a second through, a second's worth of them at once."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._tokens = self._most = max(1.0, rate)
        self._since = now

    def wait(self, now: float) -> float:
        """Return 0 and take a token, or the seconds until there is one."""
        self._tokens = min(self._most, self._tokens + (now - self._since) * self._rate)
        self._since = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0
