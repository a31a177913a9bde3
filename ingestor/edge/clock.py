"""Time and chance."""

import asyncio
import random
import time
from collections.abc import Callable


class SystemClock:
    """The machine's clocks, and its timers."""

    # Read a dozen times for every call: with nothing in between.
    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def __init__(self) -> None:
        self._bugs: asyncio.Queue[Exception] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Make *call* after *seconds*."""
        return asyncio.get_running_loop().call_later(seconds, self._make, call)

    async def watch(self) -> None:
        """Raise what a call that was made later raises: a loop would log it and go on, and whoever
        waits for that call would wait for ever.
        """
        raise await self._bugs.get()

    def _make(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as bug:  # noqa: BLE001 - raised again where it is heard
            self._bugs.put_nowait(bug)


class SystemDice:
    """The machine's chance; good enough for jitter."""

    def roll(self) -> float:
        """Draw evenly from [0, 1)."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing
