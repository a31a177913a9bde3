"""Members of a consumer group, and what they remember."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from ingestor.core.memo import Memo
from ingestor.core.record import Partition, Record
from ingestor.core.starts import Start
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.kafka_source import KafkaSource

PATIENCE = 25.0


class Keeper:
    """Keeps the partitions of one member, as its owner, and every change that it is told of.

    *taken* says how many *records* there were when each assignment began, *memos* what came with
    the offsets. At the end of one it awaits *ending*, which may commit, take its time or fail.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.owned: dict[Partition, int] = {}
        self.begun: list[dict[Partition, int]] = []
        self.memos: dict[Partition, Memo | None] = {}
        self.taken: list[int] = []
        self._records = records
        self.ended = 0
        self.ages: list[float] = []
        self.gone: list[tuple[Partition, int, int]] = []
        self.changes: list[tuple[str, dict[str, object]]] = []
        self.ending: Callable[[], Any] | None = None

    def begin(self, starts: Mapping[Partition, Start]) -> None:
        """Note what became ours."""
        self.owned = {name: start.offset for name, start in starts.items()}
        self.memos = {name: start.memo for name, start in starts.items()}
        self.begun.append(dict(self.owned))
        self.taken.append(len(self._records))

    def renew(self, age: float) -> None:
        """Note how old an acknowledgement by the group is."""
        self.ages.append(age)

    async def end(self) -> None:
        """Note that it was given up."""
        if self.ending is not None:
            await self.ending()
        self.owned = {}
        self.ended += 1

    def changed(self, event: str, **fields: object) -> None:
        """Note a change."""
        self.changes.append((event, fields))

    def lost(self, partition: Partition, first: int, last: int) -> None:
        """Note what is gone."""
        self.gone.append((partition, first, last))

    def told(self, event: str) -> list[dict[str, object]]:
        """Give the fields of every change of that name."""
        return [fields for name, fields in self.changes if name == event]


class Member:
    """A source with its keeper, and all *records* that it ever took."""

    def __init__(self, connection: Connection, subscription: Subscription) -> None:
        self.records: list[Record] = []
        self.keeper = Keeper(self.records)
        self.source = KafkaSource(connection, subscription, self.keeper)
        self.source.serve(self.keeper)

    async def take(self, partitions: Collection[Partition] | None = None) -> list[Record]:
        """Take once, from *partitions* or from all that are ours."""
        wanted = self.keeper.owned if partitions is None else partitions
        records = list(await self.source.take(wanted))
        self.records += records
        return records

    async def until(
        self,
        is_so: Callable[[], object],
        partitions: Collection[Partition] | None = None,
        within: float = PATIENCE,
    ) -> None:
        """Take until *is_so*."""
        try:
            async with asyncio.timeout(within):
                while not is_so():
                    await self.take(partitions)
                    await asyncio.sleep(0)
        except TimeoutError:
            raise TimeoutError(f"{len(self.records)} records, {self.keeper.changes}") from None

    async def run(self) -> None:
        """Take as long as nobody cancels it."""
        while True:
            await self.take()
            await asyncio.sleep(0)

    async def joined(self) -> dict[Partition, int]:
        """Take until partitions are ours; give where they begin."""
        await self.until(lambda: self.keeper.owned, ())
        return self.keeper.begun[-1]

    def records_of(self, partition: int) -> list[Record]:
        """Give the records taken of one partition, in the order in which they came."""
        return [record for record in self.records if record.partition == partition]

    def values(self, partition: int) -> list[bytes | None]:
        """Give the values taken of one partition, in the order in which they came."""
        return [record.value for record in self.records if record.partition == partition]


@asynccontextmanager
async def member(
    address: str, *topics: str, group: str | None = None, **more: Any
) -> AsyncIterator[Member]:
    """Be a member of *group*, which is a new one by default, as long as the block; *more* goes into
    the subscription.
    """
    subscription = Subscription(topics, group or f"group-{uuid4().hex}", **more)
    opened = Member(Connection(address, "test"), subscription)
    try:
        yield opened
    finally:
        await opened.source.close()
