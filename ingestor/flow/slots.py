"""Slots for requests: whoever waits for one waits here, and gets it when `core.shares` and the
server's limiter say so.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from ingestor.core.answer import Answer
from ingestor.core.route import Destination
from ingestor.core.shares import Share, Shares
from ingestor.core.sign import sign
from ingestor.flow.ports import Clock, Timer


class Queue:
    """Those who wait for a slot of one kind; who waits longest goes first."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiters: deque[asyncio.Future[None]] = deque()

    def __bool__(self) -> bool:
        """Whether anybody waits; those who gave up do not."""
        while self._waiters and self._waiters[0].done():
            self._waiters.popleft()
        return bool(self._waiters)

    def join(self) -> asyncio.Future[None]:
        """Wait from now on."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def call(self) -> None:
        """Let the first one go."""
        self._waiters.popleft().set_result(None)


class Lane:
    """The share of one destination, and those who wait for it, by whether it is a retry, which also
    tells who is next.
    """

    __slots__ = ("first", "is_retry_next", "retry", "share", "timer")

    def __init__(self, share: Share) -> None:
        self.share = share
        self.first = Queue()
        self.retry = Queue()
        self.is_retry_next = False
        self.timer: Timer | None = None

    def queue(self, *, is_retry: bool) -> Queue:
        """Find the queue of those who come for the first time, or again."""
        return self.retry if is_retry else self.first

    def choose(self) -> bool:
        """Choose who is next; whether there is anybody."""
        first_waits, retry_waits = bool(self.first), bool(self.retry)
        self.is_retry_next = self.share.is_retry_next(
            first_waits=first_waits, retry_waits=retry_waits
        )
        return first_waits or retry_waits


class Slots:
    """At most *most* requests at a time, of these as many to each server as its limiter finds good,
    and *rate* a second to each destination.
    """

    def __init__(self, clock: Clock, most: int, rate: float | None = None) -> None:
        self._clock = clock
        self._shares = Shares(most, rate)
        self._lanes: dict[Destination, Lane] = {}
        # Those in which somebody waits.
        self._waiting: dict[Destination, Lane] = {}

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self._shares.in_use

    @property
    def limit(self) -> int:
        """How many there are at present."""
        return self._shares.limit

    async def slot(self, destination: Destination, *, is_retry: bool = False) -> "Slot":
        """Wait for a slot; `with` gives it back."""
        return Slot(self, await self._enter(destination, is_retry=is_retry), is_retry=is_retry)

    def leave(self, share: Share, *, is_retry: bool) -> None:
        """Give a slot back."""
        self._shares.leave(share, is_retry=is_retry)
        if self._waiting:
            self._admit()

    async def _enter(self, destination: Destination, *, is_retry: bool) -> Share:
        lane = self._lanes.get(destination)
        if lane is None:
            lane = self._lanes[destination] = Lane(self._shares.of(destination))
        if destination not in self._waiting:
            lane.is_retry_next = is_retry
            if self._may(lane, now := self._clock.now()):
                self._shares.take(lane.share, now, is_retry=is_retry)
                return lane.share
            self._waiting[destination] = lane
            waiter = lane.queue(is_retry=is_retry).join()
        else:
            queue = lane.queue(is_retry=is_retry)
            is_first_of_kind = not queue
            waiter = queue.join()
            if is_first_of_kind:
                self._admit()
        try:
            await waiter
        except asyncio.CancelledError:
            # The slot may have been handed over before the cancellation arrived.
            if waiter.done() and not waiter.cancelled():
                lane.share.bucket.give_back()
                self.leave(lane.share, is_retry=is_retry)
            raise
        return lane.share

    def _admit(self) -> None:
        """Hand out what is free, each time to the one of those who may that has the fewest."""
        now = self._clock.now()
        while (lane := self._next(now)) is not None:
            self._shares.take(lane.share, now, is_retry=lane.is_retry_next)
            lane.queue(is_retry=lane.is_retry_next).call()

    def _next(self, now: float) -> Lane | None:
        """Choose the lane whose turn it is; None when nobody may go."""
        chosen: Lane | None = None
        empty = []
        for destination, lane in self._waiting.items():
            if lane.share.server.is_full:
                continue
            if not lane.choose():
                empty.append(destination)
            elif self._may(lane, now) and (
                chosen is None or lane.share.in_use < chosen.share.in_use
            ):
                chosen = lane
        for destination in empty:
            del self._waiting[destination]
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
    """A slot for one request."""

    __slots__ = ("_is_retry", "_is_used", "_share", "_slots")

    def __init__(self, slots: Slots, share: Share, *, is_retry: bool) -> None:
        self._slots = slots
        self._share = share
        self._is_retry = is_retry
        self._is_used = False

    def __enter__(self) -> Self:
        """Have it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give it back; without a request, also its place in the rate."""
        if not self._is_used:
            self._share.bucket.give_back()
        self._slots.leave(self._share, is_retry=self._is_retry)

    def begin(self) -> None:
        """Note that the request begins."""
        self._is_used = True

    def note(self, answer: Answer, *, seconds: float, now: float) -> None:
        """Let the limiter of the server learn from the *answer*, which came *now* after
        *seconds*.
        """
        server = self._share.server
        server.limiter.note(sign(answer), seconds=seconds, in_flight=server.in_use, now=now)
