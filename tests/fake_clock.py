"""Virtual time and loaded dice: time stands still until a test lets it pass."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

EPOCH = 1_780_000_000.0


async def quiescence() -> None:
    """Let every task run until all of them wait for something."""
    # The loop has no public word for "nobody can run"; counting turns instead would be luck.
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # noqa: SLF001
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)


@dataclass(order=True, slots=True)
class FakeTimer:
    """A call that is *due* at a point of virtual time; equal ones in the order they were made."""

    due: float
    number: int
    call: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Take it back."""
        self.is_cancelled = True


class FakeClock:
    """Virtual time, in seconds: it stands still until a test lets it pass; *naps* are the sleeps
    that were asked for.
    """

    def __init__(self) -> None:
        self.naps: list[float] = []
        self._now = 1_000.0
        self._timers: list[FakeTimer] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Read the virtual time."""
        return self._now

    def wall(self) -> float:
        """Read it as the time since the epoch."""
        return EPOCH + self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until *seconds* have passed."""
        self.naps.append(seconds)
        is_over = asyncio.Event()
        timer = self.call_later(seconds, is_over.set)
        try:
            await is_over.wait()
        finally:
            timer.cancel()

    def call_later(self, seconds: float, call: Callable[[], None]) -> FakeTimer:
        """Make *call* when *seconds* have passed."""
        timer = FakeTimer(self._now + seconds, next(self._numbers), call)
        heapq.heappush(self._timers, timer)
        return timer

    @property
    def next_due(self) -> float | None:
        """When somebody's wait ends next; None when nobody waits for time."""
        while self._timers and self._timers[0].is_cancelled:
            heapq.heappop(self._timers)
        return self._timers[0].due if self._timers else None

    async def advance(self, seconds: float) -> None:
        """Let *seconds* pass: from one due time to the next, with every task at rest in between."""
        end = self._now + seconds
        await quiescence()
        while (due := self.next_due) is not None and due <= end:
            await self._pass(due)
        self._now = end

    async def advance_until(self, is_reached: Callable[[], bool], most: float = 3_600.0) -> None:
        """Let time pass until *is_reached*; an hour at *most*, and not when nobody waits for it."""
        end = self._now + most
        await quiescence()
        while not is_reached():
            due = self.next_due
            assert due is not None, "never: nobody waits for time any more"
            assert due <= end, f"not within {most} seconds"
            await self._pass(due)

    async def _pass(self, due: float) -> None:
        """Make all calls of one instant, as a real loop does, and let the tasks run."""
        self._now = max(self._now, due)
        while self.next_due == due:
            heapq.heappop(self._timers).call()
        await quiescence()


class LoadedDice:
    """Dice that show *rolls* one after the other, and the last one for ever."""

    def __init__(self, *rolls: float) -> None:
        self._rolls = list(rolls or (0.5,))
        self.rolled = 0

    def show(self, *rolls: float) -> None:
        """Be loaded anew."""
        self._rolls = list(rolls)

    def roll(self) -> float:
        """Show the next one."""
        self.rolled += 1
        return self._rolls.pop(0) if len(self._rolls) > 1 else self._rolls[0]
