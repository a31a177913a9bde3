"""Drives a coroutine step by step and cancels its task at one chosen suspension."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from enum import Enum, auto
from typing import Any


class Moment(Enum):
    """When a suspended task is cancelled: as it falls asleep, or when what it waited for has
    happened and it has not taken its next step.
    """

    ASLEEP = auto()
    WAKING = auto()


class Cut:
    """Cancels at suspension number *at* (from 1) of all the coroutines that it wraps, counted while
    it *is_armed*.
    """

    def __init__(self, at: int, moment: Moment, *, is_armed: bool = True) -> None:
        self.is_armed = is_armed
        self._at = at
        self._moment = moment
        self.suspensions = 0

    @property
    def is_reached(self) -> bool:
        """Whether there were as many suspensions."""
        return self.suspensions >= self._at

    def __call__(self, work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """Wrap *work*."""
        return self.drive(work)

    async def drive(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run *work* to its end, or to the cut."""
        await self._step(work)

    @types.coroutine
    def _step(self, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, None]:
        error: BaseException | None = None
        while True:
            try:
                awaited = work.throw(error) if error else work.send(None)
            except StopIteration:
                return
            self.suspensions += self.is_armed
            if self.is_armed and self.suspensions == self._at:
                self._cancel(awaited)
            try:
                yield awaited
                error = None
            except BaseException as thrown:  # noqa: BLE001 - handed on to where it belongs
                error = thrown

    def _cancel(self, awaited: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._moment is Moment.WAKING and isinstance(awaited, asyncio.Future):
            # Called before the task's own callback, which is added after this one.
            awaited.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()
