"""Time and chance."""

import asyncio
import random
import time
from collections.abc import Callable


class SystemClock:
    """The machine's clocks."""

    # Read a dozen times for every call: with nothing in between.
    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Make *call* after *seconds*."""
        return asyncio.get_running_loop().call_later(seconds, call)


class SystemDice:
    """The machine's chance; good enough for jitter."""

    def roll(self) -> float:
        """Draw evenly from [0, 1)."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing
