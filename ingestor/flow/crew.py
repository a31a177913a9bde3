"""The tasks that carry records, and how they come to rest: those that wait are left, those that act
are awaited.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeAlias

from ingestor.flow.ports import Clock

# Seconds for a task to end that is cut off.
PATIENCE = 1.0


Doer: TypeAlias = "asyncio.Task[Any] | None"
"""Who is busy: a task, as the loop knows it."""


class Crew:
    """Tasks under one roof.

    A *drain* begins no new attempt: tasks that wait are cancelled (their records come again), tasks
    that are *busy* (with an attempt on the wire, or with the letter it leads to) are awaited.
    """

    def __init__(self, tasks: asyncio.TaskGroup, clock: Clock) -> None:
        self._group = tasks
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[Doer] = set()
        # Named, or to ask for the current task would ask the system which process this is.
        self._loop = asyncio.get_running_loop()
        self._rest = asyncio.Event()
        self._rest.set()
        self._drains = 0
        # Whether no new attempt may begin.
        self.is_draining = False

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Begin *work*; an exception in it ends the service."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._leave)
        self._rest.clear()

    def begin(self) -> Doer:
        """Be busy, until the end of what is done: a drain waits for it."""
        doer = asyncio.current_task(self._loop)
        self._busy.add(doer)
        return doer

    def end(self, doer: Doer) -> None:
        """Be busy no more."""
        self._busy.discard(doer)

    def close(self) -> None:
        """Begin no attempt any more: the service ends."""
        self._count(1)

    async def drain(self, seconds: float) -> int:
        """Come to rest within *seconds*; return how many tasks had to be cut off.

        Two may be under way at a time: a signal can come in the middle of a rebalance.
        """
        self._count(1)
        try:
            _cancel(self._tasks - self._busy)
            await self._wait(seconds)
            cut_off = len(self._tasks)
            await self._cut_off()
            return cut_off
        finally:
            self._count(-1)
            if not self.is_draining:
                # A drain that is cancelled itself leaves nobody at work behind it.
                _cancel(self._tasks)

    def _count(self, change: int) -> None:
        self._drains += change
        self.is_draining = self._drains > 0

    async def _wait(self, seconds: float) -> None:
        deadline = self._clock.call_later(seconds, self._rest.set)
        try:
            await self._rest.wait()
        finally:
            deadline.cancel()

    async def _cut_off(self) -> None:
        while self._tasks:
            _cancel(self._tasks)
            await asyncio.wait(self._tasks, timeout=PATIENCE)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks:
            self._rest.set()


async def end(tasks: Iterable[asyncio.Task[None]], patience: float) -> None:
    """Wait until *tasks*, which were cancelled, have ended; cancel them again every *patience*
    seconds.

    `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes when its wait is just over,
    and libraries wait with it.
    """
    pending = set(tasks)
    while pending:
        _, pending = await asyncio.wait(pending, timeout=patience)
        _cancel(pending)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
