"""How a record ends."""

from enum import StrEnum

from msgspec import Struct

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


class Tries(Struct, frozen=True, gc=False):
    """The attempts behind an outcome: how many, and when the first and the last began, in seconds
    since the epoch.
    """

    count: int = 0
    first: float | None = None
    last: float | None = None


class Delivered(Struct, frozen=True, gc=False):
    """Tuner accepted the call."""

    tries: Tries


class Duplicate(Struct, frozen=True, gc=False):
    """Tuner had the call already."""

    tries: Tries


class Ignored(Struct, frozen=True, gc=False):
    """Not a call to deliver: a tombstone, or an event type that the settings exclude."""

    reason: str
    event_type: str | None = None


class Dead(Struct, frozen=True, gc=False):
    """Becomes a letter. *message* and *errors* name places and rules, never values."""

    reason: Reason
    message: str
    errors: tuple[Problem, ...] = ()
    status: int | None = None
    tries: Tries = Tries()
    call_id: str | None = None


Outcome = Delivered | Duplicate | Dead | Ignored
