"""Decides when the next request may begin under a plain ceiling of requests a second.

A token bucket. It holds a tenth of a second's worth: what was not used is not saved up for a burst,
yet a loop that comes round late loses nothing.
"""

DEPTH_SECONDS = 0.1
# A token but for the rounding is one: else a wait of nothing would be asked for again and again.
ROUNDING = 1e-9


class Bucket:
    """At most *rate* requests a second; without a rate there is no ceiling."""

    __slots__ = ("_most", "_rate", "_since", "_tokens")

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._most = self._tokens = 1.0 if rate is None else max(1.0, rate * DEPTH_SECONDS)
        self._since: float | None = None

    def wait(self, now: float) -> float:
        """Compute for how many seconds from *now* (on a clock that never goes back) there is no
        token.
        """
        if self._rate is None:
            return 0.0
        elapsed = 0.0 if self._since is None else now - self._since
        self._tokens = min(self._most, self._tokens + elapsed * self._rate)
        self._since = now
        return 0.0 if self._tokens > 1.0 - ROUNDING else (1.0 - self._tokens) / self._rate

    def take(self) -> None:
        """Use a token, for a request that begins; only when there is nothing to wait for."""
        self._tokens -= 1.0

    def give_back(self) -> None:
        """Undo a take whose request did not begin after all."""
        self._tokens = min(self._most, self._tokens + 1.0)
