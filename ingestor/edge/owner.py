"""Who works with the partitions that a source reads."""

from collections.abc import Mapping
from typing import Protocol

from ingestor.core.record import Partition
from ingestor.core.starts import Start


class Owner(Protocol):
    """Who works with the partitions."""

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """Take partitions over, each from its start."""
        ...

    def renew(self, age: float) -> None:
        """Note that the group counted us in when it was asked, *age* seconds ago."""
        ...

    async def end(self) -> None:
        """Finish what can be finished, commit it, and give every partition up."""
        ...
