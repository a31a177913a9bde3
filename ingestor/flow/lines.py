"""The lines in which tasks wait, one for each key that stops them: in the order in which they came,
but those who may go first before all others.
"""

import asyncio
from collections import deque
from itertools import chain

from ingestor.core.holds import Key

Waiters = deque[asyncio.Future[None]]


class _Line:
    __slots__ = ("first", "others", "woken")

    def __init__(self) -> None:
        self.first: Waiters = deque()
        self.others: Waiters = deque()
        # Those that have not taken their next step yet.
        self.woken = 0

    @property
    def has_waiters(self) -> bool:
        return bool(self.first or self.others)

    @property
    def is_over(self) -> bool:
        return not (self.has_waiters or self.woken)

    @property
    def count(self) -> int:
        return sum(not waiter.done() for waiter in chain(self.first, self.others))

    def wake_one(self) -> None:
        waiter = (self.first or self.others).popleft()
        if not waiter.done():
            waiter.set_result(None)
            self.woken += 1


class Lines:
    """Waits and wakes."""

    def __init__(self) -> None:
        self._lines: dict[Key, _Line] = {}

    def is_empty(self, key: Key) -> bool:
        """Whether nobody waits for *key*, or was just woken."""
        return key not in self._lines

    def count(self, key: Key) -> int:
        """Count those that wait for *key*."""
        line = self._lines.get(key)
        return 0 if line is None else line.count

    async def wait(self, key: Key, *, is_first: bool) -> None:
        """Wait in the line for *key*; cancelled when its turn has come, a task passes the turn
        on.
        """
        waiter = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(key, _Line())
        (line.first if is_first else line.others).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                raise
            self._step(key, line)
            self.wake(key, line.woken + 1)
            raise
        self._step(key, line)

    def wake(self, key: Key, most: int | None = None) -> None:
        """Wake the line for *key*, or so many of it that *most* are on their way."""
        line = self._lines.get(key)
        if line is None:
            return
        while line.has_waiters and (most is None or line.woken < most):
            line.wake_one()
        self._close(key, line)

    def _step(self, key: Key, line: _Line) -> None:
        line.woken -= 1
        self._close(key, line)

    def _close(self, key: Key, line: _Line) -> None:
        if line.is_over:
            self._lines.pop(key, None)
