"""Reads the topics as one member of a consumer group.

Every rebalance of aiokafka takes all partitions away and gives some back. From the moment they are
taken until each was sought to its start, the gate is shut: what the client hands out meanwhile is
thrown away. What is thrown away, here or by an exception out of `getmany` (which has moved the
positions of records that it then drops), is read again, because every partition is sought to its
next expected offset before anything else is awaited.

An exception is either about one partition, whose bytes are then read without the client until it
can go on, or about the consumer, which is replaced when it keeps failing.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from ingestor.core.memo import NO_MEMOS, Memo
from ingestor.core.record import Partition, Record
from ingestor.core.starts import Start
from ingestor.edge.kafka_commits import ANSWER_SECONDS, Commits
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import (
    Subscription,
    absent,
    check_fetching,
    culprit,
    is_cancelled,
    is_credible,
    positions,
    stop,
)
from ingestor.edge.kafka_fence import Fence, FencedError, abandon
from ingestor.edge.kafka_heartbeats import ask
from ingestor.edge.kafka_joining import DICE, join
from ingestor.edge.kafka_starts import find_starts
from ingestor.edge.owner import Owner
from ingestor.edge.rescues import Rescues
from ingestor.edge.stalls import Stalls
from ingestor.edge.troubles import Troubles
from ingestor.edge.watch import SourceWatch

POLL_MS = 200
MOST_RECORDS = 500
# With nothing to ask for, a poll of a partition that does not exist keeps the membership and passes
# errors on.
IDLE_POLL_MS = 20

Batches = Mapping[TopicPartition, Sequence[Record]]


class KafkaSource:
    """A group member that outlives its consumer: a lost one is replaced."""

    def __init__(
        self, connection: Connection, subscription: Subscription, watch: SourceWatch
    ) -> None:
        self._connection = connection
        self._subscription = subscription
        self._watch = watch
        self._commits = Commits(watch)
        self._owner: Owner
        self._consumer: Any = None
        # What was assigned and is not sought yet; None while there is nothing to seek.
        self._arrivals: frozenset[TopicPartition] | None = None
        self._next: dict[TopicPartition, int] = {}
        self._rebalances = 0
        self._rescues = Rescues(connection, watch)
        self._stalls = Stalls(subscription.stall_seconds)
        self._has_begun = False
        self._troubles = Troubles(watch)
        self._fence = Fence(subscription.group_instance_id)
        self._bug: Exception | None = None

    def serve(self, owner: Owner) -> None:
        """Name who works with the partitions, once and before anything is taken."""
        self._owner = owner

    async def take(
        self, partitions: Collection[Partition], most: int = MOST_RECORDS
    ) -> Sequence[Record]:
        """Wait a moment for records of *partitions* that are ours, about as many as *most*; with
        none of them only the membership is kept.
        """
        if self._bug is not None:
            raise self._bug
        batches: Batches = {}
        arrived = None
        try:
            consumer = self._consumer or await self._open()
            if self._arrivals is None:
                batches = await self._poll(consumer, partitions, most)
            else:
                arrived = await self._arrive(consumer, self._arrivals)
        except OffsetOutOfRangeError:
            await self._start_over()
            return ()
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            # Nobody cancelled us: it is one of the client's own tasks.
            await self._recover("CancelledError")
            return ()
        except Exception as error:  # noqa: BLE001 - the client passes on whatever parsing a batch raised
            await self._fail(error)
            return ()
        if arrived is not None:
            self._owner.begin(arrived)
        return self._hand_out(batches) + self._rescued(partitions)

    async def commit(
        self, offsets: Mapping[Partition, int], memos: Mapping[Partition, Memo] = NO_MEMOS
    ) -> bool:
        """Commit *offsets*, each with its memo if there is one; False when the broker did not
        acknowledge them in time or refused.
        """
        consumer = self._consumer
        return consumer is not None and await self._commits.send(consumer, offsets, memos)

    async def ends(self) -> Mapping[Partition, int]:
        """Ask where our partitions end; of those for which there was no answer nothing is said."""
        consumer = self._consumer
        if consumer is None or not self._next:
            return {}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                ends = await consumer.end_offsets(list(self._next))
        except (KafkaError, TimeoutError):
            return {}
        self._look(consumer, ends)
        return {Partition(*name): end for name, end in ends.items()}

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        await self._rescues.close()
        if consumer is not None:
            await stop(consumer)

    async def revoke(self, consumer: Any) -> None:
        """Give everything up, as a rebalance demands; the group waits for it."""
        if consumer is not self._consumer:
            return
        self._shut()
        is_fenced = await self._fence.is_shut(consumer)
        try:
            await self._owner.end()
        except Exception as error:  # noqa: BLE001 - the client would swallow it: it ends the service from `take`
            self._bug = error
        if is_fenced:
            self._bug = FencedError(self._subscription.group_instance_id)
            abandon(consumer)

    def assign(self, consumer: Any, partitions: Collection[TopicPartition]) -> None:
        """Note what a rebalance gave; it is sought and handed over by the next `take`, while
        heartbeats go on.
        """
        if consumer is self._consumer:
            self._fence.note(consumer)
            self._arrivals = frozenset(partitions)

    def renew(self, consumer: Any, age: float) -> None:
        """Pass on that the group counts us in."""
        if consumer is self._consumer:
            self._owner.renew(age)

    async def _poll(self, consumer: Any, partitions: Collection[Partition], most: int) -> Batches:
        check_fetching(consumer)
        names = [TopicPartition(*name) for name in partitions if name in self._next]
        ours = [name for name in names if name not in self._rescues]
        nowhere = TopicPartition(self._subscription.topics[0], -1)
        # A partition that is left out may have room again in no time.
        is_whole = len(names) == len(self._next)
        is_long = ours and is_whole and not self._rescues.has_some(names)
        batches: Batches = await consumer.getmany(
            *(ours or (nowhere,)),
            timeout_ms=POLL_MS if is_long else IDLE_POLL_MS,
            max_records=most,
        )
        self._stalls.asked(ours, batches, time.monotonic())
        return batches

    def _hand_out(self, batches: Batches) -> list[Record]:
        handed: list[Record] = []
        for name, batch in batches.items():
            expected = self._next.get(name)
            if expected is None:
                continue  # the gate is shut: it comes again
            if not is_credible(self._consumer, name, batch, expected):
                self._rescues.begin(self._consumer, name, expected, "OffsetsOutOfOrder")
                continue
            self._next[name] = batch[-1].offset + 1
            handed += batch
        return handed

    def _look(self, consumer: Any, ends: Mapping[TopicPartition, int]) -> None:
        """Have read without the client what it does not give although it is there."""
        ours = self._next.keys() & consumer.assignment() if consumer is self._consumer else ()
        at = positions(consumer, (name for name in ours if name not in self._rescues))
        for name in self._stalls.look(at, ends):
            self._rescues.begin(consumer, name, self._next[name], "NothingRead")

    def _rescued(self, partitions: Collection[Partition]) -> list[Record]:
        rescued = []
        for name in map(TopicPartition._make, partitions):
            if name in self._next and name in self._rescues:
                found, self._next[name] = self._rescues.read(self._consumer, name)
                rescued += found
        return rescued

    async def _arrive(
        self, consumer: Any, arrivals: frozenset[TopicPartition]
    ) -> Mapping[Partition, Start] | None:
        """Seek every partition to its start and open the gate; None when the next rebalance was
        faster.
        """
        rebalances = self._rebalances
        reset, is_first = self._subscription.reset, not self._has_begun
        starts = await find_starts(consumer, arrivals, reset, is_first=is_first)
        await ask(consumer)
        if rebalances != self._rebalances:
            return None
        for name, where in starts.items():
            consumer.seek(name, where.offset)
            if where.lost:
                first, last = where.offset - where.lost, where.offset - 1
                self._watch.lost(Partition(*name), first, last)
        self._next = {name: where.offset for name, where in starts.items()}
        self._arrivals = None
        self._has_begun = True
        self._troubles.end()
        if gone := absent(consumer, self._subscription):
            self._troubles.tell("waiting_for_kafka", gone)
        return {Partition(*name): where for name, where in starts.items()}

    async def _open(self) -> Any:
        self._consumer = await join(self._connection, self._subscription, self, self._troubles.tell)
        return self._consumer

    async def _fail(self, error: Exception) -> None:
        """Go on after an exception out of the client: about one partition, or about all it does."""
        name = culprit(error)
        if name is None or name not in self._next:
            await self._recover(type(error).__name__)
            return
        self._rewind()
        self._rescues.begin(self._consumer, name, self._next[name], type(error).__name__)

    async def _recover(self, cause: str) -> None:
        """Go on with the same consumer, or, when it keeps failing, with a new one."""
        if self._bug is not None:
            raise self._bug from None
        self._rewind()
        if not self._troubles.fail(cause, time.monotonic()):
            await asyncio.sleep(DICE.uniform(0.1, 1.0))
            return
        self._shut()
        await self._owner.end()
        await self.close()

    async def _start_over(self) -> None:
        """Begin anew from the committed offsets: what we were to read next is not there."""
        self._watch.changed("offsets_out_of_range")
        self._shut()
        rebalances = self._rebalances
        await self._owner.end()
        if rebalances == self._rebalances:
            self._arrivals = frozenset(self._consumer.assignment())

    def _rewind(self) -> None:
        if self._consumer is not None:
            for name in self._consumer.assignment() & self._next.keys():
                self._consumer.seek(name, self._next[name])

    def _shut(self) -> None:
        self._rebalances += 1
        self._arrivals = None
        self._next = {}
        self._rescues.clear()
        self._stalls.clear()
