"""Who is told of what changes at the edge, and who works with the partitions."""

from collections.abc import Mapping
from typing import Protocol

from ingestor.core.record import Partition
from ingestor.core.starts import Start


class Watch(Protocol):
    """Those who look on."""

    def changed(self, event: str, **fields: object) -> None:
        """Note a change of state, by a stable name."""
        ...

    def lost(self, partition: Partition, first: int, last: int) -> None:
        """Note the offsets that retention removed before they were read."""
        ...


class Owner(Protocol):
    """Who works with the partitions."""

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """Take partitions over, each from its start."""
        ...

    async def end(self) -> None:
        """Finish what can be finished, commit it, and give every partition up."""
        ...
