"""Notices partitions of which the client gives nothing although there is something: what a broker
answers when it cannot read its own log, the client only writes into a log, and asks again for ever.
"""

from collections.abc import Collection, Iterable, Mapping

from aiokafka import TopicPartition


class Stalls:
    """Since when each partition was asked for in vain; after *seconds* it counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[TopicPartition, float] = {}
        self._behind: dict[TopicPartition, int] = {}

    def asked(
        self, names: Iterable[TopicPartition], given: Collection[TopicPartition], now: float
    ) -> None:
        """Note that of *names* there was something of those *given*, and nothing of the others."""
        for name in names:
            if name in given:
                self._since.pop(name, None)
            else:
                self._since.setdefault(name, now)

    def look(
        self,
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        now: float,
    ) -> list[TopicPartition]:
        """List those that were asked for in vain for long, and stood before their end, at the same
        place, at the last look as well: after an outage the client needs a moment.
        """
        behind = {
            name: position
            for name, position in positions.items()
            if position < ends.get(name, 0) and now - self._since.get(name, now) >= self._seconds
        }
        stalled = [name for name, position in behind.items() if self._behind.get(name) == position]
        self._behind = behind
        for name in stalled:
            del self._since[name]
        return stalled

    def clear(self) -> None:
        """Forget everything: an assignment is over."""
        self._since.clear()
        self._behind.clear()
