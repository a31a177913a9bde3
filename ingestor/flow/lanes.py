"""Keeps records of one call_id in order: a lane for each call_id that has any, one record at a time
in front.
"""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Lanes(Generic[Item]):
    """The items that wait for the one before them; a lane without any takes no room."""

    def __init__(self) -> None:
        # Nearly every lane has one item, which is not kept here: the queue is made for the second.
        self._lanes: dict[Hashable, deque[Item] | None] = {}

    def __len__(self) -> int:
        """Count the lanes in use."""
        return len(self._lanes)

    def enter(self, name: Hashable, item: Item) -> bool:
        """Take a place in lane *name*; whether *item* is in front."""
        if name not in self._lanes:
            self._lanes[name] = None
            return True
        queue = self._lanes[name]
        if queue is None:
            queue = self._lanes[name] = deque()
        queue.append(item)
        return False

    def leave(self, name: Hashable) -> Item | None:
        """Leave the front of lane *name*; return the item that is in front now."""
        queue = self._lanes[name]
        if queue:
            return queue.popleft()
        del self._lanes[name]
        return None

    def clear(self) -> None:
        """Empty every lane."""
        self._lanes.clear()
