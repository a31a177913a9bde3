"""Slots for requests: whoever waits for one waits here, and gets it when `core.shares` and the
server's limiter say so.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self, TypeAlias

from ingestor.core.answer import Answer
from ingestor.core.route import Destination
from ingestor.core.shares import Share, Shares
from ingestor.core.sign import sign
from ingestor.flow.ports import Clock, Timer

Begin: TypeAlias = Callable[[Any, "Slot"], None]
"""What is called with whatever lined up and a slot, once there is one."""


class Queue:
    """Those who wait for a slot of one kind, first attempts or retries: tasks, and *items* that
    nobody carries now. Of each, who waits longest goes first.
    """

    __slots__ = ("_loop", "_waiters", "items")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self.items: deque[tuple[Begin, object]] = deque()

    def has_any(self) -> bool:
        """Whether anybody waits; those who gave up do not."""
        waiters = self._waiters
        while waiters and waiters[0].done():
            waiters.popleft()
        return bool(waiters or self.items)

    def join(self) -> asyncio.Future[None]:
        """Wait from now on."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def call(self, slots: "Slots", lane: "Lane") -> None:
        """Let the first one go with a slot of *lane*: a task has been on its way for longer than
        what nobody carries.
        """
        if self._waiters:
            self._waiters.popleft().set_result(None)
        else:
            begin, item = self.items.popleft()
            begin(item, Slot(slots, lane, is_taken=True, is_retry=lane.is_retry_next))


class Lane:
    """The share of one destination, and those who wait for it, by whether it is for a retry, which
    also tells who is next.
    """

    __slots__ = ("first", "is_retry_next", "retry", "share", "timer")

    def __init__(self, share: Share) -> None:
        self.share = share
        self.first = Queue()
        self.retry = Queue()
        self.is_retry_next = False
        self.timer: Timer | None = None

    def choose(self) -> bool:
        """Choose who is next; whether there is anybody."""
        first_waits = self.first.has_any()
        retry_waits = self.retry.has_any()
        self.is_retry_next = retry_waits and self.share.is_retry_next(first_waits=first_waits)
        return first_waits or retry_waits

    def queue(self, *, is_retry: bool) -> Queue:
        """Give those who wait for a retry, or for a first attempt."""
        return self.retry if is_retry else self.first

    def call(self, slots: "Slots") -> None:
        """Let go who is next."""
        self.queue(is_retry=self.is_retry_next).call(slots, self)


class Slots:
    """At most *most* requests at a time, of these as many to each server as its limiter finds good,
    and *rate* a second to each destination.
    """

    def __init__(self, clock: Clock, most: int, rate: float | None = None) -> None:
        self._clock = clock
        self._shares = Shares(most, rate)
        self._lanes: dict[Destination, Lane] = {}
        # Those in which somebody waits, in the order in which they came.
        self._waiting: dict[Lane, None] = {}

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self._shares.in_use

    @property
    def limit(self) -> int:
        """How many there are at present."""
        return self._shares.limit

    def slot(self, destination: Destination) -> "Slot":
        """Have no slot yet for requests to *destination*, but what takes one."""
        return Slot(self, self._lane(destination))

    def line_up(
        self, destination: Destination, begin: Begin, item: object, *, is_retry: bool
    ) -> None:
        """Call *begin* with *item* and a slot for its next attempt as soon as there is one, perhaps
        now.
        """
        lane = self._lane(destination)
        if self._take(lane, is_retry=is_retry):
            begin(item, Slot(self, lane, is_taken=True, is_retry=is_retry))
            return
        items = lane.queue(is_retry=is_retry).items
        items.append((begin, item))
        if len(items) == 1:
            self._wait(lane)

    def clear(self) -> None:
        """Forget all that were lined up."""
        for lane in self._lanes.values():
            lane.first.items.clear()
            lane.retry.items.clear()

    async def enter(self, lane: Lane, *, is_retry: bool) -> None:
        """Wait for a slot of *lane*."""
        if self._take(lane, is_retry=is_retry):
            return
        queue = lane.queue(is_retry=is_retry)
        is_first_of_kind = not queue.has_any()
        waiter = queue.join()
        if is_first_of_kind:
            self._wait(lane)
        try:
            await waiter
        except asyncio.CancelledError:
            # The slot may have been handed over before the cancellation arrived.
            if waiter.done() and not waiter.cancelled():
                lane.share.bucket.give_back()
                self.leave(lane, is_retry=is_retry)
            raise

    def leave(self, lane: Lane, *, is_retry: bool) -> None:
        """Give a slot back."""
        self._shares.leave(lane.share, is_retry=is_retry)
        if self._waiting:
            self._admit()

    def _lane(self, destination: Destination) -> Lane:
        lane = self._lanes.get(destination)
        if lane is None:
            lane = self._lanes[destination] = Lane(self._shares.of(destination))
        return lane

    def _take(self, lane: Lane, *, is_retry: bool) -> bool:
        """Take a slot unless others wait or there is none."""
        if lane in self._waiting:
            return False
        lane.is_retry_next = is_retry
        if not self._may(lane, now := self._clock.now()):
            return False
        self._shares.take(lane.share, now, is_retry=is_retry)
        return True

    def _wait(self, lane: Lane) -> None:
        """Somebody of a kind of which nobody waited joins those who wait."""
        if lane in self._waiting:
            self._admit()
        else:
            self._waiting[lane] = None

    def _admit(self) -> None:
        """Hand out what is free, each time to the one of those who may that has the fewest."""
        now = self._clock.now()
        while not self._shares.is_full and (lane := self._next(now)) is not None:
            self._shares.take(lane.share, now, is_retry=lane.is_retry_next)
            lane.call(self)

    def _next(self, now: float) -> Lane | None:
        """Choose the lane whose turn it is; None when nobody may go."""
        chosen: Lane | None = None
        for lane in list(self._waiting):
            if lane.share.server.is_full:
                continue
            if not lane.choose():
                del self._waiting[lane]
            elif self._may(lane, now) and (
                chosen is None or lane.share.in_use < chosen.share.in_use
            ):
                chosen = lane
        return chosen

    def _may(self, lane: Lane, now: float) -> bool:
        """Whether who is next in *lane* may go."""
        share = lane.share
        if not self._shares.has_room(share, now) or (
            lane.is_retry_next and not share.has_room_for_retry
        ):
            return False
        seconds = share.bucket.wait(now)
        if seconds and lane.timer is None:
            lane.timer = self._clock.call_later(seconds, lambda: self._wake(lane))
        return not seconds

    def _wake(self, lane: Lane) -> None:
        lane.timer = None
        self._admit()


class Slot:
    """What a record has of the slots: one for its next request, once it *is taken*."""

    __slots__ = ("_is_retry", "_is_used", "_lane", "_slots", "is_taken")

    def __init__(
        self, slots: Slots, lane: Lane, *, is_taken: bool = False, is_retry: bool = False
    ) -> None:
        self._slots = slots
        self._lane = lane
        self.is_taken = is_taken
        self._is_retry = is_retry
        self._is_used = False

    def __enter__(self) -> Self:
        """Have it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.leave()

    async def take(self, *, is_retry: bool) -> None:
        """Wait until there is one, unless it is there."""
        if not self.is_taken:
            await self._slots.enter(self._lane, is_retry=is_retry)
            self.is_taken, self._is_retry, self._is_used = True, is_retry, False

    def leave(self) -> None:
        """Give it back, if it is there; without a request, also its place in the rate."""
        if not self.is_taken:
            return
        self.is_taken = False
        if not self._is_used:
            self._lane.share.bucket.give_back()
        self._slots.leave(self._lane, is_retry=self._is_retry)

    def begin(self) -> None:
        """Note that the request begins."""
        self._is_used = True

    def note(self, answer: Answer, *, seconds: float, now: float) -> None:
        """Let the limiter of the server learn from the *answer*, which came *now* after
        *seconds*.
        """
        server = self._lane.share.server
        server.limiter.note(sign(answer), seconds=seconds, in_flight=server.in_use, now=now)
