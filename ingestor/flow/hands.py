"""The hands that carry records: each carries one record at a time, and when it is done goes on with
the next one that has a slot.

A record that waits for its first slot has no task yet. As long as there is more to do than slots, a
hand takes its next record in the moment in which the last one is finished: no task is made for it,
and none has to be woken.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from ingestor.flow.crew import Crew
from ingestor.flow.slots import Slot

Item = TypeVar("Item")


class Hands(Generic[Item]):
    """As many tasks of a *crew* as there are items to *carry* at a time."""

    def __init__(self, crew: Crew, carry: Callable[[Item, Slot], Coroutine[None, None, None]]):
        self._crew = crew
        self._carry = carry
        self._loop = asyncio.get_running_loop()
        self._ready: deque[tuple[Item, Slot]] = deque()
        self._is_hiring = False

    def give(self, item: Item, slot: Slot) -> None:
        """Have *item*, which has its *slot*, carried by the next hand that is done, or by a new
        one; in a drain it is left.
        """
        self._ready.append((item, slot))
        if not self._is_hiring:
            # Whoever gave the slot back is about to be done.
            self._is_hiring = True
            self._loop.call_soon(self.hire)

    def hire(self) -> None:
        """Have a new hand for each item that none has taken so far."""
        if self._is_hiring:
            self._is_hiring = False
            if not self._crew.is_draining:
                for _ in self._ready:
                    self._crew.start(self._work())

    def clear(self) -> None:
        """Leave what no hand has taken yet."""
        while self._ready:
            _, slot = self._ready.popleft()
            slot.leave()

    async def _work(self) -> None:
        while self._ready and not self._crew.is_draining:
            item, slot = self._ready.popleft()
            try:
                await self._carry(item, slot)
            finally:
                slot.leave()
