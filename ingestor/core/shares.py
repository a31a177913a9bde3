"""Decides who may have the next slot: the process has so many, each server takes so many, and no
destination takes the others' part.

While several destinations have work, each can have an equal part. What one leaves unused the others
may borrow, but for a quarter of its part: so a destination that comes back to work finds slots at
once, even when another one is so slow that it gives none back for a while.

Retries are never more than half while first attempts wait, and seven eighths otherwise: calls that
keep failing do not keep new ones from their first attempt.
"""

from ingestor.core.bucket import Bucket
from ingestor.core.limiter import START, Limiter
from ingestor.core.route import Destination

KEPT_PART = 4
ACTIVE_SECONDS = 60.0
REVIEW_SECONDS = 1.0


class Server:
    """One base URL: how many requests it takes, and how many are under way."""

    __slots__ = ("in_use", "limiter")

    def __init__(self, most: int) -> None:
        self.limiter = Limiter(most)
        self.in_use = 0

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return self.in_use >= self.limiter.limit


class Share:
    """The slots that one destination has, and those of them that *retrying* calls have."""

    __slots__ = ("bucket", "in_use", "retrying", "server", "used_at", "was_retry")

    def __init__(self, server: Server, bucket: Bucket) -> None:
        self.server = server
        self.bucket = bucket
        self.in_use = 0
        self.retrying = 0
        self.used_at = float("-inf")
        self.was_retry = False

    @property
    def has_room_for_retry(self) -> bool:
        """Whether retries leave enough to first attempts that may come."""
        limit = self.server.limiter.limit
        return self.retrying < max(1, limit - limit // 8)

    def is_retry_next(self, *, first_waits: bool) -> bool:
        """Choose when a retry waits, and perhaps a first attempt: in turn, and at most half of the
        slots for retries.
        """
        if not first_waits:
            return True
        return not self.was_retry and self.retrying < max(1, self.server.limiter.limit // 2)


class Shares:
    """At most *most* slots for all, and *rate* requests a second for each destination."""

    def __init__(self, most: int, rate: float | None = None) -> None:
        self._most = most
        self._rate = rate
        self._servers: dict[str, Server] = {}
        # By destination; they are as few as the settings name.
        self._shares: dict[Destination, Share] = {}
        self._active: set[Share] = set()
        self._review_at = float("-inf")
        self.in_use = 0

    @property
    def is_full(self) -> bool:
        """Whether there is no slot left for anybody."""
        return self.in_use >= self._most

    @property
    def limit(self) -> int:
        """How many slots there are at present."""
        limits = [server.limiter.limit for server in self._servers.values()]
        return min(self._most, sum(limits) if limits else START)

    def of(self, destination: Destination) -> Share:
        """Find the share of *destination*."""
        share = self._shares.get(destination)
        if share is None:
            server = self._servers.setdefault(destination.base_url, Server(self._most))
            share = self._shares[destination] = Share(server, Bucket(self._rate))
        return share

    def has_room(self, share: Share, now: float) -> bool:
        """Whether another slot may go to *share*, as far as the others are concerned."""
        if self.in_use >= self._most or share.server.is_full:
            return False
        if now >= self._review_at:
            self._review(now)
        self._active.add(share)
        if len(self._active) == 1:
            return True
        part = self._most // len(self._active)
        if share.in_use < part or not (kept := part // KEPT_PART):
            return True
        others = sum(max(0, kept - it.in_use) for it in self._active if it is not share)
        return self._most - self.in_use > others

    def take(self, share: Share, now: float, *, is_retry: bool) -> None:
        """Give a slot to *share*, and a token of its rate."""
        share.bucket.take()
        share.used_at = now
        share.was_retry = is_retry
        self._count(share, 1, is_retry=is_retry)

    def leave(self, share: Share, *, is_retry: bool) -> None:
        """Take the slot back."""
        self._count(share, -1, is_retry=is_retry)

    def _count(self, share: Share, change: int, *, is_retry: bool) -> None:
        self.in_use += change
        share.in_use += change
        share.server.in_use += change
        share.retrying += change * is_retry

    def _review(self, now: float) -> None:
        """Forget, now and then, who has had no work for a while: nothing is kept for them."""
        self._review_at = now + REVIEW_SECONDS
        since = now - ACTIVE_SECONDS
        self._active = {it for it in self._shares.values() if it.in_use or it.used_at >= since}
