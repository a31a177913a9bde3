"""Decides how long our own fault keeps calls waiting: growing pauses, and one probe after each.

A hold stops everything under its key (a credential, its use for a workspace, a destination, a
route), since the next call would meet the same fault. When the pause is over one record may try. If
it is accepted the hold is over; if it meets the fault again the pause doubles; if nothing is learnt
the pause is repeated. A pause that Tuner asked for ends by itself.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from ingestor.core.route import Route
from ingestor.core.verdict import Scope

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


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
        case unknown:
            assert_never(unknown)


class State(Enum):
    """How a key stands: free, asked to rest for a while, held, ready for a probe, or with its probe
    under way.
    """

    FREE = auto()
    RESTING = auto()
    HELD = auto()
    READY = auto()
    PROBED = auto()


class Standing:
    """How things stand under one *key*: how many calls were *accepted*, and whether it is held."""

    __slots__ = ("accepted", "cause", "key", "pause", "state")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.accepted = 0
        self.state = State.FREE
        self.cause = ""
        self.pause = 0.0

    def rest(self, seconds: float) -> bool:
        """Stop for *seconds*, as Tuner asked; False when it is stopped already."""
        if self.state is not State.FREE:
            return False
        self.pause, self.state = seconds, State.RESTING
        return True

    def hold(self, cause: str) -> bool:
        """Begin a hold; False when it is stopped already."""
        if self.state is not State.FREE:
            return False
        self.cause, self.pause, self.state = cause, FIRST_PAUSE, State.HELD
        return True

    def end_pause(self) -> None:
        """Go on after a rest; after a hold's pause, let one record probe."""
        self.state = State.FREE if self.state is State.RESTING else State.READY

    def fail(self, cause: str) -> None:
        """Pause twice as long: the probe met the fault."""
        self.cause, self.pause, self.state = cause, min(self.pause * 2, LONGEST_PAUSE), State.HELD

    def repeat(self) -> None:
        """Pause again as long: the probe taught nothing."""
        self.state = State.HELD
