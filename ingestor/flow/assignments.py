"""What happens when partitions come and go: every rebalance takes all of them away and gives some
back.
"""

from collections.abc import Iterable, Mapping

from ingestor.core.offsets import Offsets
from ingestor.core.record import Partition
from ingestor.core.starts import Start
from ingestor.flow.committer import Committer
from ingestor.flow.lease import Lease
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.ports import Observer


class Assignments:
    """Begins and ends assignments; *drain_seconds* is the budget of an end."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        committer: Committer,
        offsets: Offsets,
        lease: Lease,
        observer: Observer,
        drain_seconds: float,
    ) -> None:
        self._pipeline = pipeline
        self._committer = committer
        self._offsets = offsets
        self._lease = lease
        self._observer = observer
        self._drain_seconds = drain_seconds

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """Take over partitions, each from its start; an end that was cancelled leaves no others
        behind.
        """
        self._offsets.void()
        for partition, start in starts.items():
            self._offsets.assign(partition, start.offset, start.memo)
        self._lease.begin()
        self._observer.changed("partitions_assigned", partitions=_names(starts))

    def renew(self, age: float) -> None:
        """Note that the group counted us in when it was asked, *age* seconds ago."""
        self._lease.renew(age)

    async def end(self) -> None:
        """Give up every partition: drain, commit what is finished, only then void the claims."""
        partitions = tuple(self._offsets.partitions)
        cut_off = await self._pipeline.drain(self._drain_seconds)
        await self._committer.commit()
        self._offsets.void()
        self._lease.end()
        if partitions:
            self._observer.changed(
                "partitions_revoked", partitions=_names(partitions), cut_off=cut_off
            )


def _names(partitions: Iterable[Partition]) -> list[str]:
    return sorted(str(partition) for partition in partitions)
