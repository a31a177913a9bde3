"""Notices partitions of which the client gives nothing although there is something: what a broker
answers when it cannot read its own log, the client only writes into a log, and asks again for ever.
"""

from collections.abc import Collection, Iterable, Mapping

from aiokafka import TopicPartition


class Stalls:
    """For how long each partition was asked for in vain; after *seconds* it counts. Time in which
    there is no room for it, and nobody asks, does not.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: float | None = None
        self._waited: dict[TopicPartition, float] = {}
        self._behind: dict[TopicPartition, int] = {}

    def asked(
        self, names: Iterable[TopicPartition], given: Collection[TopicPartition], now: float
    ) -> None:
        """Note that of *names* there was something of those *given*, and nothing of the others
        since the last time.
        """
        seconds = 0.0 if self._asked is None else now - self._asked
        self._asked = now
        for name in names:
            if name in given:
                self._waited.pop(name, None)
            else:
                self._waited[name] = self._waited.get(name, 0.0) + seconds

    def look(
        self,
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> list[TopicPartition]:
        """List those that were asked for in vain for long, and stood before their end, at the same
        place, at the last look as well: after an outage the client needs a moment.
        """
        behind = {
            name: position
            for name, position in positions.items()
            if position < ends.get(name, 0) and self._waited.get(name, 0.0) >= self._seconds
        }
        stalled = [name for name, position in behind.items() if self._behind.get(name) == position]
        self._behind = behind
        for name in stalled:
            del self._waited[name]
        return stalled

    def clear(self) -> None:
        """Forget everything: an assignment is over."""
        self._asked = None
        self._waited.clear()
        self._behind.clear()
