"""The attempts at one call, and which of its failures count against it.

A failure counts only if something else under the same key was accepted since the call was first
tried, or since it last failed: then the fault is the call's own. In an outage, or with a wrong key,
nothing is accepted and nothing counts.
"""

from typing import assert_never

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.outcome import Tries

# The request never reached a server that could have stored the call.
_UNSENT = {Fault.CONNECT, Fault.TLS, Fault.UNKNOWN_HOST}

_SERVER_ERROR = 5


class Effort:
    """How often a call was tried; *failures* are those that count; *is_unclear* once Tuner may have
    stored it unseen.
    """

    __slots__ = ("_accepted", "_first", "_last", "count", "failures", "is_unclear")

    def __init__(self) -> None:
        self.count = 0
        self.failures = 0
        self.is_unclear = False
        self._first: float | None = None
        self._last: float | None = None
        self._accepted: tuple[int, ...] = ()

    @property
    def tries(self) -> Tries:
        """Sum the attempts up."""
        return Tries(self.count, self._first, self._last)

    def begin(self, now: float, accepted: tuple[int, ...]) -> None:
        """Note an attempt at *now* (since the epoch) and what each of its keys had *accepted*."""
        if self.count == 0:
            self._first = now
            self._accepted = accepted
        self.count += 1
        self._last = now

    def note(self, answer: Answer) -> None:
        """Remember whether *answer* leaves open what became of the call."""
        match answer:
            case Unanswered(fault=fault):
                self.is_unclear = self.is_unclear or fault not in _UNSENT
            case Answered(status=status):
                self.is_unclear = self.is_unclear or status // 100 == _SERVER_ERROR
            case unknown:
                assert_never(unknown)

    def fail(self, accepted: tuple[int, ...], which: int) -> bool:
        """Note a failure under key number *which*; whether it counts, since others passed."""
        counts = accepted[which] > self._accepted[which]
        self.failures += counts
        self._accepted = accepted
        return counts
