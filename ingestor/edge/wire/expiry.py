"""Ends what lasts too long."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Member = TypeVar("Member", bound=Hashable)

# Loops round the time of a timer to milliseconds and may be early by as much.
_EARLY_SECONDS = 0.001


class Expiry(Generic[Member]):
    """Calls *end* for every member that stays for *seconds*, once it is no longer one.

    All may stay equally long, so who came first goes first: one timer, for the eldest, does for
    thousands, and adding a member or taking it out again sets none.
    """

    def __init__(self, seconds: float, end: Callable[[Member], None]) -> None:
        self._seconds = seconds
        self._end = end
        self._due: dict[Member, float] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Member) -> None:
        """Let *member*, who is not one yet, stay from now on."""
        self._due[member] = due = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._sweep)

    def discard(self, member: Member) -> None:
        """Take *member* out, if it is still one."""
        self._due.pop(member, None)

    def pop(self) -> Member | None:
        """Take out who came last; None when there is nobody."""
        return self._due.popitem()[0] if self._due else None

    def close(self) -> None:
        """End nobody any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        self._timer = None
        now = self._loop.time() + _EARLY_SECONDS
        while self._due:
            member, due = next(iter(self._due.items()))
            if due > now:
                self._timer = self._loop.call_at(due, self._sweep)
                return
            del self._due[member]
            self._end(member)
