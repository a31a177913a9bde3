"""Tells from time to time how far behind each partition is, also those that are not being read."""

from ingestor.core.backlog import Backlog
from ingestor.core.offsets import Offsets
from ingestor.flow.ports import Clock, Observer, Source

INTERVAL = 10.0


class Backlogs:
    """Measures every partition against its end."""

    def __init__(
        self, *, source: Source, offsets: Offsets, clock: Clock, observer: Observer
    ) -> None:
        self._source = source
        self._offsets = offsets
        self._clock = clock
        self._observer = observer

    async def run(self) -> None:
        """Tell as long as the service runs."""
        while True:
            await self.tell()
            await self._clock.sleep(INTERVAL)

    async def tell(self) -> None:
        """Ask for the ends, and tell."""
        ends = await self._source.ends()
        now = self._clock.now()
        self._observer.behind(
            {
                partition: Backlog(
                    records=max(0, ends[partition] - ledger.mark),
                    oldest_seconds=0.0 if ledger.oldest is None else now - ledger.oldest,
                )
                for partition, ledger in self._offsets.ledgers().items()
                if partition in ends
            }
        )
