"""Where records wait that would become letters while nearly everything dies.

A held call keeps its place in its lane, and what it takes of the room. From time to time one of a
stream's calls is tried again; once it is accepted, or enough others are, all that wait for the
stream are tried again. What cannot be read is not: its letter is written when others can be read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

from ingestor.core.guard import UNGUARDED, Guard, Stream, cause, posting, reading, remedy
from ingestor.core.notice import Kind, Matter, Notice
from ingestor.core.outcome import Dead, Outcome
from ingestor.core.route import Route
from ingestor.flow.notices import Notices
from ingestor.flow.ports import Clock, Observer, Timer

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
# A few bad calls that are answered before the good ones beside them hold a stream for a moment.
GRACE = 3.0


@dataclass(frozen=True, slots=True)
class Write:
    """The letter may be written."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The call is tried again, perhaps as the one that *probes* a stream."""

    probes: Stream | None = None


Fate = Write | Repeat


class HeldLetters:
    """Judges every ending, and keeps back the letters of streams that are held."""

    def __init__(self, guard: Guard, clock: Clock, observer: Observer, notices: Notices) -> None:
        self._guard = guard
        self._clock = clock
        self._observer = observer
        self._notices = notices
        # In the order in which they came.
        self._waiters: dict[Stream, dict[asyncio.Future[Fate], None]] = {}
        # Of the streams that are probed: the pause before the next probe, and its timer.
        self._pauses: dict[Stream, float] = {}
        self._timers: dict[Stream, Timer] = {}

    def trial(self, route: Route) -> "Trial":
        """Accompany a call for *route* to its end."""
        return Trial(self, route)

    def note_read(self, topic: str) -> None:
        """Note a record of *topic* that could be read."""
        if not self._guard.is_calm:
            self._live(reading(topic))

    def note_unread(self, dead: Dead, topic: str) -> bool:
        """Note a record of *topic* that could not be read; whether its letter has to wait."""
        if dead.reason in UNGUARDED:
            return False
        streams = reading(topic)
        self._die(dead, streams)
        return self._guard.held(streams) is not None

    async def wait_unread(self, topic: str) -> None:
        """Wait until the letter of such a record may be written."""
        await self._weigh(reading(topic))

    def note_accepted(self, route: Route, *, is_probe: bool = False) -> None:
        """Note a call for *route* that Tuner has."""
        if not self._guard.is_calm:
            self._live(posting(route), is_probe=is_probe)

    async def judge_refused(
        self, dead: Dead, route: Route, *, probe: Stream | None, is_again: bool
    ) -> Fate:
        """Decide what becomes of a call that died, perhaps *again*, and perhaps as the *probe* of a
        stream; wait as long as one of its streams is held.
        """
        streams = posting(route)
        if probe is not None and probe in self._pauses:
            self._pause(probe, min(self._pauses[probe] * 2, LONGEST_PAUSE))
        else:
            self._die(dead, streams, is_again=is_again)
        return await self._weigh(streams)

    def give_back(self, stream: Stream) -> None:
        """Let another call probe *stream*: the one whose turn it was has been left."""
        if stream in self._pauses:
            self._pause(stream, self._pauses[stream])

    def release(self) -> None:
        """Have all letters written that wait now, and begin to count anew."""
        waiting = sum(map(len, self._waiters.values()))
        for stream in self._guard.release():
            self._let_go(stream, Write())
        self._observer.changed("letters_let_go", count=waiting)

    def _live(self, streams: Sequence[Stream], *, is_probe: bool = False) -> None:
        for stream in self._guard.live(streams, self._clock.now(), is_probe=is_probe):
            self._let_go(stream, Repeat())

    def _die(self, dead: Dead, streams: Sequence[Stream], *, is_again: bool = False) -> None:
        now = self._clock.now()
        for begun in self._guard.die(streams, cause(dead), now, is_again=is_again):
            self._hold(begun)

    async def _weigh(self, streams: Sequence[Stream]) -> Fate:
        stream = self._guard.held(streams)
        return Write() if stream is None else await self._wait(stream)

    def _hold(self, stream: Stream) -> None:
        self._notices.begin(_matter(stream), lambda: self._look(stream), grace=GRACE)
        if stream.is_repeatable:
            self._pause(stream, FIRST_PAUSE)

    def _let_go(self, stream: Stream, fate: Fate) -> None:
        self._stop(stream)
        self._notices.end(_matter(stream))
        self._wake(stream, fate)

    def _look(self, stream: Stream) -> Notice:
        found = self._guard.cause(stream)
        waiting = len(self._waiters.get(stream, ()))
        return Notice(_matter(stream), found, remedy(found), waiting)

    def _pause(self, stream: Stream, seconds: float) -> None:
        self._stop(stream)
        self._pauses[stream] = seconds
        self._timers[stream] = self._clock.call_later(seconds, lambda: self._probe(stream))

    def _stop(self, stream: Stream) -> None:
        self._pauses.pop(stream, None)
        if timer := self._timers.pop(stream, None):
            timer.cancel()

    def _probe(self, stream: Stream) -> None:
        """Give the turn to the call that has waited longest: each time it is another one."""
        if not self._wake(stream, Repeat(stream), most=1):
            self._pause(stream, self._pauses[stream])

    async def _wait(self, stream: Stream) -> Fate:
        waiter: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(stream, {})[waiter] = None
        try:
            return await waiter
        except asyncio.CancelledError:
            self._waiters[stream].pop(waiter, None)
            if not waiter.cancelled() and waiter.result() == Repeat(stream):
                self.give_back(stream)
            raise

    def _wake(self, stream: Stream, fate: Fate, *, most: int | None = None) -> int:
        """Let the first *most* of those go that wait, or all of them; return how many went."""
        waiters = self._waiters.get(stream, {})
        chosen = list(islice((waiter for waiter in waiters if not waiter.done()), most))
        for waiter in chosen:
            del waiters[waiter]
            waiter.set_result(fate)
        return len(chosen)


class Trial:
    """One call's way to its end: its letter may have to wait, and it may have to be tried again."""

    __slots__ = ("_has_died", "_letters", "_probe", "_route")

    def __init__(self, letters: HeldLetters, route: Route) -> None:
        self._letters = letters
        self._route = route
        self._probe: Stream | None = None
        self._has_died = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave; a turn to probe that came to nothing is given back."""
        if self._probe is not None:
            self._letters.give_back(self._probe)

    async def is_over(self, outcome: Outcome) -> bool:
        """Whether *outcome* is how the call ends; otherwise it is to be tried again."""
        probe, self._probe = self._probe, None
        if not isinstance(outcome, Dead):
            self._letters.note_accepted(self._route, is_probe=probe is not None)
            return True
        is_again, self._has_died = self._has_died, True
        fate = await self._letters.judge_refused(
            outcome, self._route, probe=probe, is_again=is_again
        )
        if isinstance(fate, Repeat):
            self._probe = fate.probes
        return isinstance(fate, Write)


def _matter(stream: Stream) -> Matter:
    return Matter(Kind.LETTERS, str(stream))
