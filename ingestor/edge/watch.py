"""Who is told of what changes at the edge."""

from typing import Protocol

from ingestor.core.record import Partition


class Watch(Protocol):
    """Those who look on."""

    def changed(self, event: str, **fields: object) -> None:
        """Note a change of state, by a stable name."""
        ...


class SourceWatch(Watch, Protocol):
    """Those who look on where records come from."""

    def lost(self, partition: Partition, first: int, last: int) -> None:
        """Note the offsets that retention removed before they were read."""
        ...
