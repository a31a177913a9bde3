"""Decides how many requests may be under way to one server at a time.

Push-back is easy to see. Queueing is not: latency also rises when a server has simply become
slower, when bodies are larger today, or when a collector paused, and then fewer requests would
only cost throughput. So latency is taken as a suspicion and put to the test: the limit is lowered
for a moment, to what would do if it was a queue. By Little's law a queue shrinks with the limit and
latency falls as much; when it hardly falls, nothing was gained by waiting less, the former limit
comes back and the new latency is the normal one.

Nor is all push-back of our making: some servers fail a fifth of all requests whatever the limit.
So the same test is made of it. The limit goes to where a server of our own would push back no
more; when it still does, the former limit comes back and for a minute so much is tolerated. A 429
is a plain word and is not tested.

Samples are weighed by the window, of about one round trip, by their geometric mean: a mixture of
small and large bodies does not flip it as it flips a median, and a few outliers do not shift it as
they shift a mean. Only requests that began in the window count, since the others ran under another
limit.

Compared in virtual time (`tests/bench/compare_limiters.py`), calls a second and mean limit, with at
most 512:

| server                                | fixed     | AIMD     | Vegas  | gradient2 | this     |
|---------------------------------------|-----------|----------|--------|-----------|----------|
| 200 ms, log-normal spread of 0.7      | 1997  512 | 1998 512 | 20   5 | 94     23 | 1998 512 |
| 50 ms, a tenth of the bodies ten-fold | 5182  512 | 5186 512 | 63   6 | 835    71 | 5186 512 |
| 50 ms, stands still 1 s in 10         | 9005  512 | 9005 512 | 123  7 | 4427  248 | 9006 512 |
| 50 ms, 2 % of 503 by chance           | 9790  512 | 227   12 | 123  6 | 2961  152 | 9727 512 |
| 50 ms, 20 % of 503 by chance          | 8936  512 | 28     2 | 97   6 | 474    26 | 8626 495 |
| 40 workers of 50 ms, an endless queue | 763   512 | 763  512 | 133  7 | 708    66 | 743   60 |
| the same, 503 beyond 20 waiting       | 764   512 | 765   52 | 133  7 | 755    49 | 763   56 |
| 50, then 200 ms at any concurrency    | 2518  512 | 2518 512 | 30   6 | 2468  500 | 2502 509 |

Vegas starves whatever has a spread, since the smallest latency is nobody's; gradient2 likewise, by
less; AIMD sees no queue and takes chance for push-back. With the endless queue the 99th percentile
of latency is 723 ms at a fixed limit and 136 ms at this one. On a constant 200 ms all reach 512 in
a second. What this cannot see: a queue that is shared with more than a few others looks like a
slower server, since it hardly shrinks by what one of them does; push-back is then what counts.
"""

from dataclasses import dataclass
from math import exp, inf, isqrt, log, sqrt
from typing import Final

from ingestor.core.sign import Sign

START = 16
# Fewer requests than this queue nowhere to anybody's harm; only push-back leads below.
LEAST_BY_LATENCY = 8
# How far latency may be above its floor, in natural logs: three quarters more.
TOLERANCE = log(1.75)
# A queue in which nobody waits for longer harms nobody, and so short a time says more about who
# shares the processor than about the server.
HARMLESS_SECONDS = 0.02
# A latency that rises by more than this, from window to window, is not the whole of it yet.
STEADY = log(1.15)
# A part of all requests fails with 503 or a timeout on any day, whatever the limit.
TOLERATED_STRAIN = 0.03
# Beyond this part it takes more than one step down until strain can be gone.
MOST_TESTED_STRAIN = 0.5
# Strain that keeps this part of its excess over the tolerated, at a limit at which a server of our
# own would show none, is not of our making.
UNMOVED = 0.5
# A limit that is not used teaches nothing about a larger one.
USED = 0.75
BACK_OFF, LARGEST_BACK_OFF = 0.8, 0.5
STEP, CHECK_STEP = 0.7, 0.5
# This far beyond the limit that was pushed back, it no longer grows by single requests.
PAST = 1.1
# A little below what a queue would need, so that it empties and the floor is seen again.
UNDERSHOOT = 0.9
# Which part of the fall that a queue of ours alone would show convinces: others may share it. From
# the second one on, even less than half of the limit may do.
CONVINCED, ALL_QUEUE = 0.25, 0.75
# A floor may have been learnt with a queue in it: now and then the limit is tested all the same.
CHECK_SECONDS = 60.0
FALL, RISE = 0.25, 0.02
FEWEST, FEWEST_AT_START, FEWEST_OF_TRIAL = 32, 8, 64
SHORTEST: Final = 1e-6


@dataclass(slots=True)
class _Window:
    """What came back since *since*: answers in all, of them strained ones, and the timed ones, of
    requests that also began in it, with the sum of the *logs* of their seconds; *peak* is how many
    were under way. It closes when there are *enough*.
    """

    since: float
    enough: int
    answers: int = 0
    strained: int = 0
    timed: int = 0
    logs: float = 0.0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class _Retreat:
    """A limit that was lowered because of strain: *limit* and *threshold* before, and the *excess*
    of strain over the part that is tolerated.
    """

    limit: float
    threshold: float
    excess: float


@dataclass(frozen=True, slots=True)
class _Trial:
    """A lower limit under test: the *limit* and the latency *before*, and by how much latency falls
    if all of it was a queue, both in logs; *is_check* when there was no suspicion.
    """

    limit: float
    before: float
    expected: float
    is_check: bool


class Limiter:
    """How many requests may be under way: a *limit* from 1 to *most*."""

    __slots__ = (
        "_check_at",
        "_floor",
        "_limit",
        "_most",
        "_refused_at",
        "_retreat",
        "_shrunk",
        "_suspicion",
        "_threshold",
        "_tolerated",
        "_tolerated_until",
        "_trial",
        "_window",
        "limit",
    )

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(START, most))
        # Up to here the limit doubles, beyond it feels its way.
        self._threshold = float(most)
        # Where the server pushed back the last time.
        self._refused_at = 0.0
        self._floor: float | None = None
        self._suspicion: float | None = None
        self._trial: _Trial | None = None
        self._retreat: _Retreat | None = None
        self._tolerated, self._tolerated_until = TOLERATED_STRAIN, inf
        self._shrunk = -inf
        self._check_at: float | None = None
        self._open(-inf)

    def note(self, what: Sign, *, seconds: float, in_flight: int, now: float) -> None:
        """Weigh an answer that came *now* after *seconds*, with *in_flight* requests under way when
        it came, itself included.
        """
        window, began = self._window, now - seconds
        if what is Sign.NONE or began < self._shrunk:
            return
        if what is Sign.REFUSED:
            self._shrink(BACK_OFF, now)
            self._open(now)
            return
        window.answers += 1
        window.peak = max(window.peak, in_flight)
        if what is Sign.STRAINED:
            window.strained += 1
        elif began >= window.since:
            window.timed += 1
            window.logs += log(max(seconds, SHORTEST))
        if window.timed + window.strained >= window.enough:
            self._close(window, now)
            self._open(now)

    def _open(self, now: float) -> None:
        """Begin a window at the limit that was found."""
        self.limit = int(self._limit)
        self._window = _Window(now, self._enough())

    def _enough(self) -> int:
        if self._trial is not None or self._retreat is not None:
            return max(FEWEST_OF_TRIAL, self.limit)
        if self._limit < self._threshold:
            return max(FEWEST_AT_START, self.limit // 2)
        return max(FEWEST, self.limit)

    def _close(self, window: _Window, now: float) -> None:
        if now >= self._tolerated_until:
            self._tolerated, self._tolerated_until = TOLERATED_STRAIN, inf
        share = window.strained / window.answers
        retreat, self._retreat = self._retreat, None
        if retreat is not None and share - self._tolerated > retreat.excess * UNMOVED:
            self._return(retreat, share, now)
            return
        by_chance = self._tolerated * window.answers
        if window.strained > by_chance + 2 * sqrt(by_chance):
            self._retire(share, now)
            return
        if window.timed:
            self._weigh(window, window.logs / window.timed, now)

    def _retire(self, share: float, now: float) -> None:
        """Back off from strain, to where a server of our own shows none, and see what it does."""
        limit, threshold = self._limit, self._threshold
        self._shrink(max(LARGEST_BACK_OFF, min(BACK_OFF, 1 - share)), now)
        if share <= MOST_TESTED_STRAIN:
            self._retreat = _Retreat(limit, threshold, share - self._tolerated)

    def _return(self, retreat: _Retreat, share: float, now: float) -> None:
        """Take the former limit again: so many fail whatever it is."""
        self._limit, self._threshold = retreat.limit, retreat.threshold
        self._tolerated, self._tolerated_until = share, now + CHECK_SECONDS

    def _shrink(self, factor: float, now: float) -> None:
        """Back off, once for all that was under way at the time."""
        self._refused_at = self._limit
        self._limit = self._threshold = max(1.0, self._limit * factor)
        self._trial = self._retreat = self._suspicion = None
        self._shrunk = now

    def _weigh(self, window: _Window, latency: float, now: float) -> None:
        """Draw the consequences of a window's *latency*, in logs."""
        floor = self._floor = self._settle_floor(latency)
        if self._trial is not None:
            self._end_trial(self._trial, latency, now)
        elif window.peak < USED * self.limit:
            self._suspicion = None
        elif latency - floor > TOLERANCE and exp(latency) - exp(floor) > HARMLESS_SECONDS:
            self._suspect(latency, floor)
        else:
            self._suspicion = None
            if window.strained <= self._tolerated * window.answers:
                self._grow()
            if self._is_due(now):
                self._begin_trial(latency, CHECK_STEP, is_check=True)

    def _is_due(self, now: float) -> bool:
        if self._check_at is None:
            self._check_at = now + CHECK_SECONDS
        return now >= self._check_at

    def _settle_floor(self, latency: float) -> float:
        """Follow *latency* down quickly; up only slowly, and not in leaps."""
        if self._floor is None:
            return latency
        excess = latency - self._floor
        if excess > TOLERANCE:
            return self._floor
        return self._floor + excess * (FALL if excess < 0 else RISE)

    def _grow(self) -> None:
        if self._limit < self._threshold:
            self._limit = min(self._limit * 2, self._threshold)
            return
        is_near = self._limit < self._refused_at * PAST
        step = max(1, self.limit // 64 if is_near else isqrt(self.limit))
        self._limit = min(self._limit + step, float(self._most))

    def _suspect(self, latency: float, floor: float) -> None:
        """Act on the second slow window in a row, when latency does not rise any more: a queue that
        still fills cannot be measured.
        """
        before, self._suspicion = self._suspicion, latency
        if before is not None and latency - before < STEADY:
            factor = max(STEP, exp(floor - latency) * UNDERSHOOT)
            self._begin_trial(latency, factor, is_check=False)

    def _begin_trial(self, latency: float, factor: float, *, is_check: bool) -> None:
        lower = max(float(LEAST_BY_LATENCY), self._limit * factor)
        self._suspicion = None
        if lower < self._limit:
            self._trial = _Trial(self._limit, latency, log(self._limit / lower), is_check)
            self._limit = lower

    def _end_trial(self, trial: _Trial, latency: float, now: float) -> None:
        self._trial = None
        self._check_at = now + CHECK_SECONDS
        fell = trial.before - latency
        if fell <= trial.expected * CONVINCED:
            self._limit = trial.limit
            self._floor = latency
            return
        self._threshold = self._limit
        floor = self._floor = latency if self._floor is None else min(latency, self._floor)
        is_queue_left = trial.is_check or latency - floor > TOLERANCE / 2
        if is_queue_left and fell > trial.expected * ALL_QUEUE:
            self._begin_trial(latency, CHECK_STEP, is_check=trial.is_check)
