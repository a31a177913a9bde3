"""Decides when so many records die that it is hardly their own fault: a bad deploy, a wrong agent.

Two things are counted, each in streams of its own. What a topic holds is read or not, before
anything is posted; what is posted over a route, and over all routes together, is accepted or not.
They are kept apart because reading takes no time: a batch with a few bad events yields all of their
letters before the first of its good ones has been answered.

A stream is held when so many letters in a row, or so many in a minute that are that large a share
of what ended, would leave it. Records that were ignored say nothing. A stream counts from its first
death until there has been none for a minute, so that one without deaths costs nothing.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ingestor.core.outcome import Dead, Reason
from ingestor.core.route import Route

WINDOW = 60.0
# Deaths in a row that took longer than this to come together are no accident that is going on.
ROW_SECONDS = 3_600.0
# A damaged log is nobody's deploy, and its letters are few: one for each damaged range.
UNGUARDED = frozenset({Reason.UNREADABLE, Reason.SKIPPED})
# Events may name any agent: what is known of streams is bounded.
MOST_STREAMS = 10_000

# Of an id that an event made up.
_MOST_CHARACTERS = 100
_BUCKETS = 6
_BUCKET_SECONDS = WINDOW / _BUCKETS


@dataclass(frozen=True, slots=True)
class Limits:
    """How many *letters* hold a stream: in a row, or within a minute when they are *share* (from 0
    to 1) of what ended.
    """

    letters: int
    share: float


class Stream(NamedTuple):
    """Records that share a fate; *is_repeatable* when one of them may end otherwise next time."""

    name: str
    is_repeatable: bool = True

    def __str__(self) -> str:
        return self.name


EVERY_ROUTE = Stream("every route")


@lru_cache(MOST_STREAMS)
def reading(topic: str) -> tuple[Stream, ...]:
    """Name the stream of what is read from *topic*: the same bytes are read the same way for ever,
    until somebody changes the settings.
    """
    return (Stream(f"topic {topic}", is_repeatable=False),)


@lru_cache(MOST_STREAMS)
def posting(route: Route) -> tuple[Stream, ...]:
    """Name the streams of what is posted over *route*."""
    agent = route.agent[:_MOST_CHARACTERS]
    name = f"route {route.destination}, workspace {route.workspace}, agent {agent}"
    return Stream(name), EVERY_ROUTE


def cause(dead: Dead) -> str:
    """Name what *dead* died of, in as few words as tell such deaths apart."""
    return dead.reason.value if dead.status is None else f"{dead.reason.value} ({dead.status})"


def remedy(cause: str) -> str:
    """Say what to look at when *cause* dominates."""
    reason = cause.partition(" ")[0]
    looks = {
        Reason.REFUSED: "see what Tuner complains of in the letters, and whether agent and "
        "workspace are right",
        Reason.EXHAUSTED: "see why Tuner keeps failing for these calls",
        Reason.NO_ROUTE: "see which ids the events, the routes file and the settings name",
        Reason.TOO_LARGE: "see whether INGESTOR_MAX_EVENT_BYTES is too small",
        Reason.INTERNAL: "this is a fault of the service: go back to the version before",
    }
    look = next((text for known, text in looks.items() if known == reason), None)
    look = look or "see what the publishers have changed"
    return f"{look}; then restart, or send SIGHUP to have these letters written"


class Tally:
    """What became of a stream's records lately."""

    __slots__ = ("_buckets", "_causes", "_died", "_row", "is_held")

    def __init__(self, letters: int) -> None:
        self.is_held = False
        # When each of the last deaths in a row was.
        self._row: deque[float] = deque(maxlen=letters)
        # The number of the time slice, and how many records lived and died in it.
        self._buckets: list[tuple[int, int, int]] = [(-_BUCKETS, 0, 0)] * _BUCKETS
        self._causes: Counter[str] = Counter()
        self._died = 0.0

    @property
    def cause(self) -> str:
        """What most died of."""
        return self._causes.most_common(1)[0][0]

    def live(self, now: float) -> None:
        """Note a record that ended well."""
        self._row.clear()
        self._count(now, lived=1, died=0)

    def die(self, cause: str, now: float, *, is_again: bool) -> None:
        """Note a record that would become a letter."""
        if not self._row and not sum(self.recent(now)):
            self._causes.clear()
        if not is_again:
            self._row.append(now)
        self._causes[cause] += 1
        self._died = now
        self._count(now, lived=0, died=1)

    def is_over(self, now: float) -> bool:
        """Whether it may be forgotten, when one just ended well."""
        return not self.is_held and now - self._died > WINDOW

    def recent(self, now: float) -> tuple[int, int]:
        """Count how many lived and how many died within the last minute."""
        oldest = int(now // _BUCKET_SECONDS) - _BUCKETS + 1
        within = [bucket for bucket in self._buckets if bucket[0] >= oldest]
        return sum(lived for _, lived, _ in within), sum(died for _, _, died in within)

    def is_too_much(self, limits: Limits, now: float) -> bool:
        """Whether it is to be held from now on."""
        row = self._row
        if len(row) == limits.letters and now - row[0] <= ROW_SECONDS:
            return True
        lived, died = self.recent(now)
        return died >= limits.letters and died >= limits.share * (lived + died)

    def is_little(self, limits: Limits, now: float) -> bool:
        """Whether a hold may end: one just ended well, and most others did."""
        lived, died = self.recent(now)
        return died < limits.share * (lived + died)

    def _count(self, now: float, *, lived: int, died: int) -> None:
        number = int(now // _BUCKET_SECONDS)
        place = number % _BUCKETS
        last, before_lived, before_died = self._buckets[place]
        if last != number:
            before_lived = before_died = 0
        self._buckets[place] = (number, before_lived + lived, before_died + died)


class Guard:
    """Keeps the tallies of all streams; without *limits* it never holds anything."""

    def __init__(self, limits: Limits | None) -> None:
        self._limits = limits
        self._tallies: dict[Stream, Tally] = {}

    @property
    def is_calm(self) -> bool:
        """Whether nothing has died that it would know of."""
        return not self._tallies

    def live(
        self, streams: Iterable[Stream], now: float, *, is_probe: bool = False
    ) -> Sequence[Stream]:
        """Note a record that ended well; return the streams whose hold is over. One that had died
        and was accepted now (*is_probe*) ends the holds of all its streams.
        """
        lifted = []
        for stream in streams:
            tally = self._tallies.get(stream)
            if tally is None or self._limits is None:
                continue
            tally.live(now)
            if tally.is_held and (is_probe or tally.is_little(self._limits, now)):
                lifted.append(stream)
                tally.is_held = False
            if tally.is_over(now) or (is_probe and stream in lifted):
                del self._tallies[stream]
        return lifted

    def die(
        self, streams: Iterable[Stream], cause: str, now: float, *, is_again: bool = False
    ) -> Sequence[Stream]:
        """Note a record that would become a letter; return the streams whose hold begins.

        When a hold is over, all that waited die *again*, one after the other: that they do so is no
        row.
        """
        if self._limits is None:
            return ()
        begun = []
        for stream in streams:
            tally = self._tally(stream, self._limits)
            tally.die(cause, now, is_again=is_again)
            if not tally.is_held and tally.is_too_much(self._limits, now):
                tally.is_held = True
                begun.append(stream)
        return begun

    def held(self, streams: Iterable[Stream]) -> Stream | None:
        """Find the first of *streams* that is held."""
        return next(
            (it for it in streams if it in self._tallies and self._tallies[it].is_held), None
        )

    def cause(self, stream: Stream) -> str:
        """Name what most records of a held *stream* died of."""
        return self._tallies[stream].cause

    def release(self) -> Sequence[Stream]:
        """Begin anew, as after a start; return the streams that were held."""
        held = [stream for stream, tally in self._tallies.items() if tally.is_held]
        self._tallies.clear()
        return held

    def _tally(self, stream: Stream, limits: Limits) -> Tally:
        tally = self._tallies.get(stream)
        if tally is None:
            if len(self._tallies) >= MOST_STREAMS:
                self._tallies = {it: kept for it, kept in self._tallies.items() if kept.is_held}
            tally = self._tallies[stream] = Tally(limits.letters)
        return tally
