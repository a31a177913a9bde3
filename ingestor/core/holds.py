"""Decides how long a fault keeps calls waiting: growing pauses, one probe after each, and a return
in steps.

A hold stops everything under its key, since the next call would meet the same fault: under a
credential, its use for a workspace, a destination or a route when the fault is ours; under a server
when it is out of order. When the pause is over one record may try. If it passes, twice as many may
try at a time, and so on, until the hold is over (a fault of ours is over with the first one that
passes; a server that was down is not to meet all that has piled up). If it meets the fault again
the pause doubles; if nothing is learnt it is repeated. A pause that Tuner asked for ends by itself.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from ingestor.core.route import Route
from ingestor.core.verdict import Accepted, Hold, Refused, Scope, TryAgain, Verdict

# With several at a time one failure says little; so many in a row say that it is no better.
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Manner:
    """How a fault is waited for: pauses that double from *first* to *longest* seconds, each shorter
    by a random share of up to *jitter*; and up to how many at a time calls come back in *steps*.
    """

    first: float
    longest: float
    jitter: float
    steps: int


# A wrong key stays wrong until somebody mends it.
OUR_FAULT = Manner(first=1.0, longest=60.0, jitter=0.0, steps=1)
# Drawn from the upper half of 2, 4, ... 30 seconds, lest many processes knock at the same time.
OUTAGE = Manner(first=2.0, longest=30.0, jitter=0.5, steps=32)


@dataclass(frozen=True, slots=True)
class Key:
    """What a hold stops."""

    scope: Scope
    name: str

    def __str__(self) -> str:
        return f"{self.scope} {self.name}"


def key(scope: Scope, route: Route) -> Key:
    """Name what a hold of *scope* stops when a call for *route* began it."""
    destination = route.destination
    match scope:
        case Scope.CREDENTIAL:
            return Key(scope, destination.credential)
        case Scope.WORKSPACE:
            return Key(scope, f"{destination.credential}, workspace {route.workspace}")
        case Scope.DESTINATION:
            return Key(scope, str(destination))
        case Scope.ROUTE:
            return Key(scope, f"{destination}, workspace {route.workspace}, agent {route.agent}")
        case Scope.SERVER:
            return Key(scope, destination.base_url)
        case unknown:
            assert_never(unknown)


class Lesson(Enum):
    """What an attempt taught of a key: it works, it fails, or nothing."""

    WORKS = auto()
    FAILS = auto()
    NOTHING = auto()


def lesson(scope: Scope, verdict: Verdict) -> Lesson:
    """Tell what *verdict* teaches of a key of *scope* that stopped the call, or might have."""
    match verdict:
        case Accepted() | Refused():
            return Lesson.WORKS
        case Hold():
            if verdict.scope is scope:
                return Lesson.FAILS
            # To find a key wrong a server has to work; a stranger may answer in its place.
            is_server = scope is Scope.SERVER and verdict.scope is not Scope.DESTINATION
            return Lesson.WORKS if is_server else Lesson.NOTHING
        case TryAgain():
            if scope is not Scope.SERVER:
                return Lesson.NOTHING
            return Lesson.FAILS if verdict.is_outage else Lesson.WORKS
        case unknown:
            assert_never(unknown)


class State(Enum):
    """How a key stands: free, asked to rest for a while, held, or being tried."""

    FREE = auto()
    RESTING = auto()
    HELD = auto()
    TRYING = auto()


class Standing:
    """How things stand under one *key*: whether it is held, and which answer (by number, over all
    keys) was the last that *accepted* a call under it, or that *met* a fault of it. As long as it
    is not free it is among those that are *stopped*.
    """

    __slots__ = (
        "_ceiling",
        "_failures",
        "_inside",
        "_manner",
        "_most",
        "_passed",
        "_period",
        "_stopped",
        "accepted",
        "cause",
        "key",
        "met",
        "pause",
        "state",
    )

    def __init__(self, key: Key, stopped: "set[Standing]") -> None:
        self.key = key
        self._stopped = stopped
        self.accepted = self.met = 0
        self.state = State.FREE
        self.cause = ""
        self.pause = 0.0
        self._manner = OUTAGE if key.scope is Scope.SERVER else OUR_FAULT
        self._ceiling = 0.0
        self._period = 0
        self._most = self._inside = self._passed = self._failures = 0

    @property
    def room(self) -> int:
        """How many more may try now."""
        return self._most - self._inside if self.state is State.TRYING else 0

    @property
    def is_passable(self) -> bool:
        """Whether one more may pass."""
        return self.state is State.FREE or self.room > 0

    @property
    def is_probed(self) -> bool:
        """Whether one alone tries, or is to."""
        return self.state is State.TRYING and self._most == 1

    def rest(self, seconds: float) -> bool:
        """Stop for *seconds*, as Tuner asked; False when it is stopped already."""
        if self.state is not State.FREE:
            return False
        self.pause, self.state = seconds, State.RESTING
        self._stopped.add(self)
        return True

    def hold(self, cause: str, roll: float) -> bool:
        """Begin a hold; False when it is stopped already. *roll*, in [0, 1), is for the pause."""
        if self.state is not State.FREE:
            return False
        self._hold(cause, self._manner.first, roll)
        return True

    def end_pause(self) -> None:
        """Go on after a rest; after a hold's pause, let one record try."""
        if self.state is State.RESTING:
            self.free()
            return
        self.state = State.TRYING
        self._period += 1
        self._most, self._inside, self._passed, self._failures = 1, 0, 0, 0

    def free(self) -> None:
        """Stop nobody any more."""
        self.state = State.FREE
        self._stopped.discard(self)

    def repeat(self) -> None:
        """Pause again as long: nothing was learnt."""
        self.state = State.HELD

    def take_turn(self) -> "Turn | None":
        """Begin to try; None when nothing stops anybody."""
        if self.state is State.FREE:
            return None
        self._inside += 1
        return Turn(self, self._period)

    def end_turn(self, turn: "Turn", learnt: Lesson, cause: str, roll: float) -> None:
        """Draw the conclusion of *turn*; one of a trial that is over changes nothing."""
        if not turn.is_on:
            return
        self._inside -= 1
        match learnt:
            case Lesson.WORKS:
                self._step_up()
            case Lesson.FAILS:
                self._step_down(cause, roll)
            case Lesson.NOTHING if self._most == 1:
                self.repeat()
            case Lesson.NOTHING:
                pass
            case unknown:
                assert_never(unknown)

    def has_period(self, period: int) -> bool:
        """Whether the trial number *period* still goes on."""
        return self.state is State.TRYING and self._period == period

    def _step_up(self) -> None:
        self._failures = 0
        self._passed += 1
        if self._passed < self._most:
            return
        if self._most >= self._manner.steps:
            self.free()
        self._most, self._passed = self._most * 2, 0

    def _step_down(self, cause: str, roll: float) -> None:
        self._failures += 1
        if self._most == 1:
            self._hold(cause, min(self._ceiling * 2, self._manner.longest), roll)
        elif self._failures >= MOST_FAILURES:
            self._hold(cause, self._manner.first, roll)

    def _hold(self, cause: str, ceiling: float, roll: float) -> None:
        self.cause, self._ceiling, self.state = cause, ceiling, State.HELD
        self.pause = ceiling * (1 - self._manner.jitter * roll)
        self._stopped.add(self)


class Turn:
    """The right of one record to try what is held, in one trial of it."""

    __slots__ = ("_period", "standing")

    def __init__(self, standing: Standing, period: int) -> None:
        self.standing = standing
        self._period = period

    @property
    def is_on(self) -> bool:
        """Whether its trial still goes on."""
        return self.standing.has_period(self._period)
