"""For how long we may believe that our partitions are nobody else's.

The group gives away the partitions of a member of which it has heard nothing for a session. Who is
cut off from Kafka alone is not told: it would go on posting what it holds, beside its successor. So
nothing new is posted once the last acknowledgement of the group is nearly a session old, counted
from the moment when we asked for it, since the coordinator counts from a later one.

Nothing is given up by that: what is on the wire ends and is settled, what waits keeps its place.
When the group knows us no more, the rebalance that follows ends the assignment. When it
acknowledges us again, nobody had our partitions meanwhile: they are given away in a new generation
only, and we would not be of that. So ends an outage of all of Kafka, of which we cannot tell
whether it is one of ours alone. What was settled before and during it is then committed. To end the
assignment at once, as a revocation does, would have all of that posted again: 298 of 1,200 calls,
where two services posted 15 a second each and the brokers were away for 75 seconds; this way none
were.
"""

import asyncio
from math import inf

from ingestor.flow.ports import Clock, Observer, Timer


class Lease:
    """What an acknowledgement by the group is good for: *seconds*, a little less than a session."""

    def __init__(self, clock: Clock, observer: Observer, seconds: float) -> None:
        self._clock = clock
        self._observer = observer
        self._seconds = seconds
        self._until = -inf
        self._renewed = asyncio.Event()
        # As long as there are partitions to lose.
        self._timer: Timer | None = None
        self._is_told = False

    @property
    def is_valid(self) -> bool:
        """Whether a post may begin."""
        return self._clock.now() < self._until

    async def until_valid(self) -> None:
        """Wait until a post may begin."""
        while not self.is_valid:
            await self._renewed.wait()

    def renew(self, age: float) -> None:
        """Note an acknowledgement that was asked for *age* seconds ago."""
        self._until = max(self._until, self._clock.now() + self._seconds - age)
        if self.is_valid:
            self._renewed.set()
            self._renewed.clear()
            self._tell(is_over=False)

    def begin(self) -> None:
        """Tell when it is over from now on: there are partitions to lose."""
        self._unwatch()
        self._watch()

    def end(self) -> None:
        """Let it go with the partitions: the next ones need an acknowledgement of their own."""
        self._unwatch()
        self._until = -inf
        self._is_told = False

    def _watch(self) -> None:
        left = self._until - self._clock.now()
        if left <= 0:
            self._tell(is_over=True)
        self._timer = self._clock.call_later(left if left > 0 else self._seconds, self._watch)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self, *, is_over: bool) -> None:
        if is_over is not self._is_told:
            self._is_told = is_over
            self._observer.changed("membership_in_doubt" if is_over else "membership_confirmed")
