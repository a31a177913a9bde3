"""Slots for requests: whoever waits for one waits here, and gets it when `core.shares` and the
server's limiter say so.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from ingestor.core.answer import Answer
from ingestor.core.limiter import sign
from ingestor.core.route import Destination
from ingestor.core.shares import Share, Shares
from ingestor.flow.ports import Clock, Timer


class Queue:
    """Those who wait for a slot of one kind; who waits longest goes first."""

    def __init__(self) -> None:
        self._waiters: deque[asyncio.Future[None]] = deque()

    def __bool__(self) -> bool:
        """Whether anybody waits; those who gave up do not."""
        while self._waiters and self._waiters[0].done():
            self._waiters.popleft()
        return bool(self._waiters)

    def join(self) -> asyncio.Future[None]:
        """Wait from now on."""
        waiter = asyncio.get_running_loop().create_future()
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

    def slot(self, destination: Destination, *, is_retry: bool = False) -> "Slot":
        """Have a slot: `async with` waits for it."""
        return Slot(self, self._clock, destination, is_retry=is_retry)

    async def enter(self, destination: Destination, *, is_retry: bool) -> Share:
        """Wait for a slot; return the share that it is taken from."""
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

    def leave(self, share: Share, *, is_retry: bool) -> None:
        """Give a slot back."""
        self._shares.leave(share, is_retry=is_retry)
        if self._waiting:
            self._admit()

    def _admit(self) -> None:
        """Hand out what is free, each time to the one of those who may that has the fewest."""
        now = self._clock.now()
        while ready := [lane for lane in self._candidates() if self._may(lane, now)]:
            lane = min(ready, key=lambda it: it.share.in_use)
            self._shares.take(lane.share, now, is_retry=lane.is_retry_next)
            lane.queue(is_retry=lane.is_retry_next).call()

    def _candidates(self) -> list[Lane]:
        """List the lanes whose server may take one more and in which somebody waits, after a choice
        of who is next in each.
        """
        found = []
        for destination, lane in tuple(self._waiting.items()):
            share = lane.share
            if share.server.is_full:
                continue
            first_waits, retry_waits = bool(lane.first), bool(lane.retry)
            if first_waits or retry_waits:
                lane.is_retry_next = share.is_retry_next(
                    first_waits=first_waits, retry_waits=retry_waits
                )
                found.append(lane)
            else:
                del self._waiting[destination]
        return found

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

    __slots__ = ("_began", "_clock", "_destination", "_is_retry", "_is_used", "_share", "_slots")

    def __init__(
        self, slots: Slots, clock: Clock, destination: Destination, *, is_retry: bool
    ) -> None:
        self._slots = slots
        self._clock = clock
        self._destination = destination
        self._is_retry = is_retry
        self._is_used = False
        self._began = 0.0
        self._share: Share

    async def __aenter__(self) -> Self:
        """Wait for it."""
        self._share = await self._slots.enter(self._destination, is_retry=self._is_retry)
        return self

    async def __aexit__(
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
        self._began = self._clock.now()

    def note(self, answer: Answer) -> None:
        """Let the limiter of the server learn from the *answer* to it."""
        now, server = self._clock.now(), self._share.server
        server.limiter.note(
            sign(answer), seconds=now - self._began, in_flight=server.in_use, now=now
        )
