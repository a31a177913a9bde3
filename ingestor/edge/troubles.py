"""Keeps count of what goes wrong with a Kafka client.

A consumer that fails three times, each time within ten seconds of the last, has lost its
coordination for good.
"""

from math import inf

from ingestor.edge.watch import Watch

MOST_FAILURES = 3
FAILURES_SECONDS = 10.0


class Troubles:
    """What lasts is told once; what goes on failing is counted, until it is over."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._told: tuple[str, str] | None = None
        self._failures = 0
        self._failed_at = -inf

    def tell(self, event: str, cause: str) -> None:
        """Tell of a state that lasts, once."""
        if self._told != (event, cause):
            self._told = (event, cause)
            self._watch.changed(event, cause=cause)

    def fail(self, cause: str, now: float) -> bool:
        """Note a failure at *now* (seconds); whether it was one too many."""
        if now - self._failed_at > FAILURES_SECONDS:
            self.end()
        self._failed_at = now
        self._failures += 1
        self.tell("kafka_failed", cause)
        is_lost = self._failures >= MOST_FAILURES
        if is_lost:
            self._failures = 0
        return is_lost

    def end(self) -> None:
        """Begin anew: it works."""
        self._failures, self._told = 0, None
