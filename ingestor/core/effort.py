"""The attempts at one call, and which of its failures count against it.

A failure counts only if something else under the same key was accepted since the call was first
tried, or since it last failed: then the fault is the call's own. In an outage, or with a wrong key,
nothing is accepted and nothing counts. Nor does it count while that key is bad for others too: a
failure of the server only while most new calls are answered, a wrong key or a plea for patience
(which hardly ever are one call's doing) only if no other call met it meanwhile.
"""

from typing import Final, assert_never

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.holds import Standing
from ingestor.core.outcome import Tries
from ingestor.core.verdict import Hold, TryAgain

# The request never reached a server that could have stored the call.
_UNSENT = {Fault.CONNECT, Fault.TLS, Fault.UNKNOWN_HOST}

_SERVER_ERROR: Final = 5


class Effort:
    """How often a call was tried; *failures* are those that count; *is_unclear* once Tuner may have
    stored it unseen; *heard* is the last run of failures that it was a part of.
    """

    __slots__ = ("_first", "_last", "_since", "count", "failures", "heard", "is_unclear")

    def __init__(self) -> None:
        self.count = 0
        self.failures = 0
        self.heard = 0
        self.is_unclear = False
        self._first: float | None = None
        self._last: float | None = None
        self._since = 0

    @property
    def tries(self) -> Tries:
        """Sum the attempts up."""
        return Tries(self.count, self._first, self._last)

    def begin(self, now: float, answers: int) -> None:
        """Note an attempt at *now* (since the epoch), after so many *answers* to all calls."""
        if self.count == 0:
            self._first = now
            self._since = answers
        self.count += 1
        self._last = now

    def note(self, answer: Answer) -> None:
        """Remember whether *answer* leaves open what became of the call; a repeat is one attempt
        more.
        """
        if isinstance(answer, Unanswered):
            may_be_stored = answer.fault not in _UNSENT
        else:
            may_be_stored = answer.status // 100 == _SERVER_ERROR
        if may_be_stored or answer.is_repeat:
            self.is_unclear = True
        self.count += answer.is_repeat

    def weigh(
        self, verdict: TryAgain | Hold, under: Standing, *, is_sound: bool
    ) -> TryAgain | Hold:
        """Count a failure *under* a key if it is the call's own; what others pass is no hold.

        *is_sound*: whether the server works for most.
        """
        if under.accepted <= self._since:
            return verdict
        is_alone = under.met <= self._since
        match verdict:
            case Hold(_, cause, status):
                self.failures += is_alone
                return TryAgain(cause, None, status)
            case TryAgain():
                self.failures += is_alone if verdict.is_plea else is_sound
                return verdict
            case unknown:
                assert_never(unknown)

    def fail(self, answers: int) -> None:
        """Look from now on only at what follows *answers*."""
        self._since = answers
