"""Ends what lasts too long."""

import asyncio
from collections.abc import Collection
from typing import Generic, Protocol, TypeVar

# Loops round the time of a timer to milliseconds and may be early by as much.
_EARLY_SECONDS = 0.001


class Mortal(Protocol):
    """What ends when it is *due*, by the loop's clock; never, when that is infinite."""

    due: float

    def expire(self) -> None:
        """End, and be due no more."""
        ...


Member = TypeVar("Member", bound=Mortal)


class Expiry(Generic[Member]):
    """Lets each of *members* expire when it is due, with one timer for all of them.

    A member may be given another time at any time, at no cost: one that is at least *shortest*
    seconds ahead. All are looked at when the first of them is due, and at least that often. A time
    that is nearer has to be announced.
    """

    def __init__(self, members: Collection[Member], shortest: float) -> None:
        self._members = members
        self._shortest = shortest
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Have an eye on the members: there are some now."""
        self.announce(self._loop.time() + self._shortest)

    def announce(self, due: float) -> None:
        """Look at the members no later than *due*."""
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def close(self) -> None:
        """End nobody any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if not self._members:
            return
        now = self._loop.time()
        for member in tuple(self._members):
            if member.due <= now + _EARLY_SECONDS:
                member.expire()
        first = min((member.due for member in self._members), default=now + self._shortest)
        self.announce(min(first, now + self._shortest))
