"""What an answer of Tuner may mean."""

from enum import StrEnum

from msgspec import Struct

from ingestor.core.problem import Problem


class Scope(StrEnum):
    """What a hold stops: a credential, its use for one workspace, a destination, or one route, when
    the fault is ours; a server (a base URL, whatever the credential) when it is out of order.
    """

    CREDENTIAL = "credential"
    WORKSPACE = "workspace"
    DESTINATION = "destination"
    ROUTE = "route"
    SERVER = "server"


class Accepted(Struct, frozen=True, gc=False):
    """Tuner has the call; *is_duplicate* when it had it before this record's first attempt."""

    is_duplicate: bool = False


class Refused(Struct, frozen=True, gc=False):
    """Tuner will never take this call."""

    status: int
    message: str
    errors: tuple[Problem, ...] = ()


class TryAgain(Struct, frozen=True, gc=False):
    """Not now. *pause* (seconds) is how long the whole destination asked to be left alone."""

    cause: str
    pause: float | None = None
    status: int | None = None

    @property
    def is_outage(self) -> bool:
        """Whether the server failed, or was not there: it did not just ask for patience."""
        return self.status is None or self.status // 100 == 5

    @property
    def is_plea(self) -> bool:
        """Whether it asked for patience because we send too much."""
        return self.status == 429


class Hold(Struct, frozen=True, gc=False):
    """Our fault, not the call's: nothing in *scope* is sent until a probe is accepted."""

    scope: Scope
    cause: str
    status: int | None = None


Verdict = Accepted | Refused | TryAgain | Hold


class Circumstances(Struct, frozen=True, gc=False):
    """What the meaning of an answer depends on.

    *now* is in seconds since the epoch. *is_unclear* when an earlier attempt for the same record
    may have been stored although no answer said so. *is_proven* when a 404 cannot be our own fault:
    the event named its ids, or the route has accepted a call.
    """

    now: float
    is_unclear: bool = False
    is_proven: bool = True
