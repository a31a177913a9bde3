"""How a record ends."""

from dataclasses import dataclass
from enum import StrEnum

from ingestor.core.problem import Problem


class Reason(StrEnum):
    """Why a record became a letter: the letter's header and the metric's label have this set."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    NO_ROUTE = "no_route"
    REFUSED = "refused"
    EXHAUSTED = "exhausted"
    UNREADABLE = "unreadable"
    SKIPPED = "skipped"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Tries:
    """The attempts behind an outcome: how many, and when the first and the last began, in seconds
    since the epoch.
    """

    count: int = 0
    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Tuner accepted the call."""

    tries: Tries


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Tuner had the call already."""

    tries: Tries


@dataclass(frozen=True, slots=True)
class Ignored:
    """Not a call to deliver: a tombstone, or an event type that the settings exclude."""

    reason: str
    event_type: str | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Becomes a letter. *message* and *errors* name places and rules, never values."""

    reason: Reason
    message: str
    errors: tuple[Problem, ...] = ()
    status: int | None = None
    tries: Tries = Tries()
    call_id: str | None = None


Outcome = Delivered | Duplicate | Dead | Ignored
