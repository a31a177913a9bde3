"""Where records wait while something on their route is held, and from where they go to try it: one
at a time at first.
"""

from ingestor.core.effort import Effort
from ingestor.core.holds import Key, Lesson, Standing, State, Turn, lesson
from ingestor.core.notice import Kind, Matter, Notice
from ingestor.core.remedies import remedy
from ingestor.core.route import Route
from ingestor.core.verdict import Accepted, Hold, Scope, TryAgain, Verdict
from ingestor.flow.lines import Lines
from ingestor.flow.notices import Notices
from ingestor.flow.ports import Clock, Dice
from ingestor.flow.way import Way
from ingestor.flow.ways import Ways

_OF_A_KEY = (Scope.CREDENTIAL, Scope.WORKSPACE)


class Gate:
    """Stops what is held, and draws the consequences of every answer for all that share a key."""

    def __init__(self, clock: Clock, dice: Dice, notices: Notices) -> None:
        self._clock = clock
        self._dice = dice
        self._notices = notices
        self._ways = Ways()
        self._lines = Lines()
        # Until when a destination asked to be left alone, whatever else stops it; they are as few
        # as the settings name.
        self._rests: dict[Key, float] = {}
        # How many answers were learnt from: tells what came after what.
        self.answers = 0

    def way(self, route: Route) -> Way:
        """Find what is known of *route*."""
        return self._ways.find(route)

    def passage(self, way: Way, effort: Effort) -> "Passage":
        """Begin the way of the next attempt of *effort*."""
        return Passage(self, way, effort)

    async def admit(self, way: Way, *, is_new: bool) -> tuple[Turn, ...]:
        """Wait; return the turns to try what is held. A call that *is_new* goes before those that
        failed: it may be better.
        """
        while stop := way.stop:
            # Woken to try one hold and stopped by another: the next in line may have a freer way.
            for standing in way.standings:
                self._lines.wake(standing.key, standing.room)
            await self._lines.wait(stop.key, is_first=is_new)
        turns = (standing.take_turn() for standing in way.standings)
        return tuple(turn for turn in turns if turn)

    def learn(self, way: Way, verdict: Verdict, effort: Effort, turns: tuple[Turn, ...]) -> Verdict:
        """Draw the consequences of *verdict*; return what it means for the record itself."""
        self.answers += 1
        meaning = verdict
        if isinstance(verdict, (TryAgain, Hold)):
            meaning = self._weigh(way, verdict, effort, turns)
        self._note(way, verdict, effort)
        for turn in turns:
            learnt = lesson(turn.standing.key.scope, verdict)
            self._end_turn(way, turn, learnt, _cause(verdict))
        match meaning:
            case Accepted():
                pass
            case Hold(scope=scope, cause=cause):
                self._hold(way.under(scope), cause)
            case TryAgain(pause=seconds) if seconds is not None:
                self._rest(way.under(Scope.DESTINATION), seconds)
            case _:
                pass
        return meaning

    def leave(self, way: Way, turns: tuple[Turn, ...]) -> None:
        """Give turns back, when nothing was learnt."""
        for turn in turns:
            self._end_turn(way, turn, Lesson.NOTHING, "")

    def _weigh(
        self, way: Way, verdict: TryAgain | Hold, effort: Effort, turns: tuple[Turn, ...]
    ) -> Verdict:
        """Decide whose fault a failure is; what a probe of a hold meets is that hold."""
        under = way.under(verdict.scope if isinstance(verdict, Hold) else Scope.DESTINATION)
        is_probe = any(turn.standing is under for turn in turns)
        meaning = verdict if is_probe else effort.weigh(verdict, under, is_sound=way.is_sound)
        effort.fail(self.answers)
        return meaning

    def _note(self, way: Way, verdict: Verdict, effort: Effort) -> None:
        """Note for every key that a call was accepted, or for one that a call met its fault; and
        hear what the answer says of the server.
        """
        match verdict:
            case Accepted():
                for standing in way.standings:
                    standing.accepted = self.answers
                way.breaker.works(self._clock.now(), effort)
                return
            case Hold(scope=scope):
                way.under(scope).met = self.answers
            case TryAgain(is_plea=True):
                way.under(Scope.DESTINATION).met = self.answers
            case _:
                pass
        self._hear(way, verdict, effort)

    def _hear(self, way: Way, verdict: Verdict, effort: Effort) -> None:
        """Hear what a call that was not accepted says of the server, and stop all that goes there
        when it is out of order.
        """
        match lesson(Scope.SERVER, verdict):
            case Lesson.WORKS:
                way.breaker.works(self._clock.now(), effort)
            case Lesson.FAILS if way.breaker.fails(self._clock.now(), effort):
                self._hold(way.under(Scope.SERVER), _cause(verdict))
            case _:
                pass

    def _hold(self, standing: Standing, cause: str) -> None:
        if standing.hold(cause, self._dice.roll()):
            self._notices.begin(_matter(standing.key), lambda: self._look(standing))
            self._pause(standing)

    def _look(self, standing: Standing) -> Notice:
        matter = _matter(standing.key)
        found = remedy(standing.cause, is_outage=matter.kind is Kind.OUTAGE)
        return Notice(matter, standing.cause, found, self._lines.count(standing.key))

    def _rest(self, standing: Standing, seconds: float) -> None:
        """Leave a destination alone; of several that were told so the longest counts."""
        until = self._clock.now() + seconds
        self._rests[standing.key] = max(until, self._rests.get(standing.key, until))
        if standing.rest(seconds):
            self._pause(standing)
        elif standing.is_probed and standing.room:
            standing.repeat()
            self._pause(standing)

    def _end_turn(self, way: Way, turn: Turn, learnt: Lesson, cause: str) -> None:
        if not turn.is_on:
            return
        standing = turn.standing
        standing.end_turn(turn, learnt, cause, self._dice.roll())
        if standing.state is State.HELD:
            self._pause(standing)
            return
        self._lines.wake(standing.key, standing.room)
        if learnt is Lesson.WORKS and self._lines.is_empty(standing.key):
            standing.free()  # all that have piled up are through
        if standing.state is State.FREE:
            self._lift(way, standing)

    def _lift(self, way: Way, standing: Standing) -> None:
        if standing.key.scope is Scope.SERVER:
            way.breaker.forget()
        self._notices.end(_matter(standing.key))
        if (left := self._left(standing.key)) and standing.rest(left):
            self._pause(standing)
        else:
            self._lines.wake(standing.key)

    def _pause(self, standing: Standing) -> None:
        self._clock.call_later(standing.pause, lambda: self._end_pause(standing))

    def _end_pause(self, standing: Standing) -> None:
        if left := self._left(standing.key):
            self._clock.call_later(left, lambda: self._end_pause(standing))
            return
        standing.end_pause()
        self._lines.wake(standing.key, None if standing.state is State.FREE else standing.room)

    def _left(self, name: Key) -> float:
        """Compute for how many seconds a destination still wants to be left alone."""
        return max(0.0, self._rests.get(name, 0.0) - self._clock.now())


class Passage:
    """One record's way through the gate, for one attempt."""

    __slots__ = ("_effort", "_gate", "_turns", "_way")

    def __init__(self, gate: Gate, way: Way, effort: Effort) -> None:
        self._gate = gate
        self._way = way
        self._effort = effort
        self._turns: tuple[Turn, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it still is: a hold may begin while the record waits for a slot."""
        if self._way.is_free:
            return True
        tried = [turn.standing for turn in self._turns if turn.is_on]
        return all(
            standing.state is State.FREE or standing in tried for standing in self._way.standings
        )

    @property
    def is_probe_of_key(self) -> bool:
        """Whether a key of Tuner's that was found wrong is to be tried again."""
        return bool(self._turns) and any(
            turn.standing.key.scope in _OF_A_KEY for turn in self._turns
        )

    def leave(self) -> None:
        """Be done, also with nothing; a turn that taught nothing is given back."""
        if self._turns:
            self._gate.leave(self._way, self._turns)

    async def wait(self) -> None:
        """Wait until nothing stops the way, or until it is this record's turn to try what does."""
        if not self._way.is_free:
            self._turns = await self._gate.admit(self._way, is_new=not self._effort.count)

    def begin(self, now: float) -> None:
        """Note that the attempt begins at *now* (since the epoch)."""
        self._effort.begin(now, self._gate.answers)

    def learn(self, verdict: Verdict) -> Verdict:
        """Pass on what this attempt taught; return what it means for the record itself."""
        turns, self._turns = self._turns, ()
        return self._gate.learn(self._way, verdict, self._effort, turns)


def _matter(key: Key) -> Matter:
    return Matter(Kind.OUTAGE if key.scope is Scope.SERVER else Kind.FAULT, str(key))


def _cause(verdict: Verdict) -> str:
    return verdict.cause if isinstance(verdict, (TryAgain, Hold)) else ""
