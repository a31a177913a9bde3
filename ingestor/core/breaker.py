"""Decides when a server counts as out of order, from what it answers to calls in general.

One call that fails for ever must not look like an outage, so a call that failed before says less
than a new one: the ratio is taken of first attempts alone, and in a run each call is heard once,
with a third of a new one's weight when it failed before. All of it costs the same however much is
answered.
"""

from typing import Final

from ingestor.core.effort import Effort

# Ten new calls in a row, or thirty that failed before.
NEW, OLD, LONGEST_RUN = 3, 1, 30
# Half of at least twenty first attempts in some ten seconds.
SECONDS: Final = 10
LEAST = 20
# The share of the latest first attempt in what is thought of the server.
SHARE: Final = 1 / 8
# With fewer answered, one of many unlucky calls would meet failures until its budget is spent.
MOST = 0.7


class Breaker:
    """Weighs the answers of one server; *now* is in seconds and does not go back."""

    __slots__ = ("_buckets", "_quality", "_run", "_run_number")

    def __init__(self) -> None:
        # Per second: which one it is of, and its first attempts that worked and that failed.
        self._buckets = [[0, 0, 0] for _ in range(SECONDS)]
        self._run = 0
        self._run_number = 1
        self._quality = 1.0

    @property
    def is_sound(self) -> bool:
        """Whether most new calls are answered of late: only then a failure may be a call's own."""
        return self._quality >= MOST

    def works(self, now: float, effort: Effort) -> None:
        """Hear that an attempt of *effort* was answered."""
        if self._run:
            self._run = 0
            self._run_number += 1
        if effort.count == 1:
            self._bucket(now)[1] += 1
            self._quality += (1 - self._quality) * SHARE

    def fails(self, now: float, effort: Effort) -> bool:
        """Hear that an attempt of *effort* failed; return whether the server is out of order."""
        is_new = effort.count == 1
        if effort.heard != self._run_number:
            effort.heard = self._run_number
            self._run += NEW if is_new else OLD
        if is_new:
            self._bucket(now)[2] += 1
            self._quality -= self._quality * SHARE
        return self._run >= LONGEST_RUN or self._fails_often(now)

    def forget(self) -> None:
        """Begin anew: what was before an outage says nothing of what is after it."""
        self._run = 0
        self._run_number += 1
        for bucket in self._buckets:
            bucket[1] = bucket[2] = 0

    def _bucket(self, now: float) -> list[int]:
        second = int(now)
        bucket = self._buckets[second % SECONDS]
        if bucket[0] != second:
            bucket[:] = second, 0, 0
        return bucket

    def _fails_often(self, now: float) -> bool:
        recent = [bucket for bucket in self._buckets if now - bucket[0] < SECONDS]
        worked = sum(bucket[1] for bucket in recent)
        failed = sum(bucket[2] for bucket in recent)
        return failed >= worked and worked + failed >= LEAST
