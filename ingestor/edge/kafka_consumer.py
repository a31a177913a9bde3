"""One aiokafka consumer: how it is built, subscribed and stopped, and what its exceptions mean."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from traceback import walk_tb
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from ingestor.core.record import Record
from ingestor.core.starts import Reset
from ingestor.edge.kafka_codecs import bound_codecs
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_records import make_records

HEARTBEAT_MS = 1_000
# Less than the least makes a fetch of every few records; more than the most only costs memory. A
# record, or a batch, that is larger is fetched all the same.
LEAST_FETCH_BYTES, MOST_FETCH_BYTES = 2**18, 16 * 2**20
LEAST_PARTITION_FETCH_BYTES, MOST_PARTITION_FETCH_BYTES = 2**16, 2**20
FETCH_WAIT_MS = 250
# Between two tries of whatever it is; aiokafka has several under way at a time. With its own 100 ms
# a lost cluster saw 35 connections a second from each of us (measured), with this one seven.
RETRY_MS = 500
# A service that ends gives this two seconds.
STOP_SECONDS = 1.8
# Far longer than an election of leaders takes.
STALL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read, and as whom.

    *rebalance_seconds* is how long the others wait for us to give partitions up, *session_seconds*
    how long they believe that we live without a word of us, *metadata_seconds* how long a change of
    the topics may go unnoticed, and *stall_seconds* how long a partition may give nothing.
    *fetch_bytes* is what one answer of a broker may hold, as it comes over the wire, and
    *partition_fetch_bytes* what of it may be of one partition.
    """

    topics: tuple[str, ...]
    group_id: str
    reset: Reset = Reset.EARLIEST
    group_instance_id: str | None = None
    rebalance_seconds: float = 30.0
    session_seconds: float = 10.0
    metadata_seconds: float = 30.0
    stall_seconds: float = STALL_SECONDS
    fetch_bytes: int = 8 * 2**20
    partition_fetch_bytes: int = 2**19


class Member(Protocol):
    """Who is told of rebalances and of heartbeats, and of which consumer."""

    async def revoke(self, consumer: Any) -> None:
        """Give everything up; the group waits."""
        ...

    def assign(self, consumer: Any, partitions: Collection[TopicPartition]) -> None:
        """Note what was given."""
        ...

    def renew(self, consumer: Any, age: float) -> None:
        """Note that the group counted it in when it was asked, *age* seconds ago."""
        ...


def build(connection: Connection, subscription: Subscription) -> Any:
    """Make a consumer that has not connected."""
    bound_codecs()
    make_records()
    return AIOKafkaConsumer(**connection.options(), **options(subscription))


def options(subscription: Subscription) -> Mapping[str, Any]:
    """Write *subscription* as the keyword arguments that aiokafka takes."""
    rebalance_ms = int(subscription.rebalance_seconds * 1000)
    return {
        "group_id": subscription.group_id,
        "group_instance_id": subscription.group_instance_id,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        # One, for ever: with two aiokafka rejoins several times over, so a rolling change is
        # impossible.
        "partition_assignment_strategy": (StickyPartitionAssignor,),
        "session_timeout_ms": int(subscription.session_seconds * 1000),
        "heartbeat_interval_ms": HEARTBEAT_MS,
        "rebalance_timeout_ms": rebalance_ms,
        # A join is answered when the slowest member has given up its partitions.
        "request_timeout_ms": rebalance_ms + 10_000,
        "metadata_max_age_ms": int(subscription.metadata_seconds * 1000),
        "fetch_max_bytes": _within(LEAST_FETCH_BYTES, subscription.fetch_bytes, MOST_FETCH_BYTES),
        "max_partition_fetch_bytes": _within(
            LEAST_PARTITION_FETCH_BYTES,
            subscription.partition_fetch_bytes,
            MOST_PARTITION_FETCH_BYTES,
        ),
        "fetch_max_wait_ms": FETCH_WAIT_MS,
        "retry_backoff_ms": RETRY_MS,
    }


def _within(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def absent(consumer: Any, subscription: Subscription) -> str | None:
    """Say which topics are not there any more, by what *consumer* knows; None when all are."""
    there = {topic for topic in subscription.topics if consumer.partitions_for_topic(topic)}
    return without(subscription, there)


def without(subscription: Subscription, there: Collection[str]) -> str | None:
    """Say which topics are not among those that are *there*; None when all are."""
    missing = sorted(set(subscription.topics).difference(there))
    return f"no topic {', '.join(missing)}" if missing else None


async def stop(consumer: Any) -> None:
    """Stop a consumer (or a producer) in less than `STOP_SECONDS`, whatever it waits for.

    In a task of its own: aiokafka's `stop` may raise CancelledError by itself, and then leaves its
    connections open; or it waits for an answer, such as that of a group that is not complete yet.
    Cut off, it would leave tasks behind that go on with their heartbeats.
    """
    client = getattr(consumer, "client", None) or consumer._client  # noqa: SLF001 - a consumer hides what a producer shows
    loop = asyncio.get_running_loop()
    stopping = loop.create_task(consumer.stop())
    try:
        for unblock in (partial(_leave, consumer), client.close):
            if await _ends_well(stopping):
                return
            await _ends_well(loop.create_task(unblock()))
        await _ends_well(stopping)
    finally:
        stopping.cancel()


async def _leave(consumer: Any) -> None:
    """Take back a request to join: aiokafka would leave the group after the answer, and not at all
    without one. A static member stays: it will be back.
    """
    coordinator = getattr(consumer, "_coordinator", None)
    if coordinator is None or not coordinator.member_id or consumer._group_instance_id:  # noqa: SLF001 - nothing public leaves a group
        return
    request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
    # Not on the connection of the group: there the broker answers the join first.
    await consumer._client.send(coordinator.coordinator_id, request)  # noqa: SLF001 - see above


async def _ends_well(task: asyncio.Task[None]) -> bool:
    await asyncio.wait([task], timeout=STOP_SECONDS / 5)
    return task.done() and not task.cancelled() and task.exception() is None


def is_cancelled() -> bool:
    """Tell a cancellation of ours from one of the client's own tasks."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def is_credible(
    consumer: Any, name: TopicPartition, records: Sequence[Record], expected: int
) -> bool:
    """Whether the offsets of *records* rise from *expected* on and end before the partition does,
    and the client goes on behind them.

    The offset of a batch is not under its checksum, and the client believes it: one that was
    altered makes it skip the batches that are really there.
    """
    state = consumer._subscription.subscription.assignment.state_value(name)  # noqa: SLF001 - nothing public tells without waiting
    last = expected - 1
    for record in records:
        offset = record.offset
        if offset <= last:
            return False
        last = offset
    return bool(last < min(state.highwater, state.position))


def positions(consumer: Any, names: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Read which offset the client fetches next of those of *names* of which it knows."""
    assignment = consumer._subscription.subscription.assignment  # noqa: SLF001 - see above
    states = {name: assignment.state_value(name) for name in names}
    return {name: state.position for name, state in states.items() if state.has_valid_position}


def culprit(error: BaseException) -> TopicPartition | None:
    """Find the partition that could not be read; None when *error* is the consumer's own.

    aiokafka does not say which it was, but the frame below which it read knows.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    for frame, _below in pairwise(frames):
        if frame.f_code.co_name == "fetched_records":
            name: TopicPartition = frame.f_locals["tp"]
            return name
    return None


def check_fetching(consumer: Any) -> None:
    """Raise KafkaError when *consumer* has stopped to fetch: it does not tell by itself."""
    fetching = consumer._fetcher._fetch_task  # noqa: SLF001 - nothing public shows it
    if fetching.done():
        raise KafkaError("the client fetches no more")


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """Passes on what happens to one consumer."""

    def __init__(self, member: Member, consumer: Any) -> None:
        self._member = member
        self._consumer = consumer

    async def on_partitions_revoked(self, _revoked: Collection[TopicPartition]) -> None:
        """Give everything up: whatever is revoked, aiokafka takes it all."""
        await self._member.revoke(self._consumer)

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Note what was given."""
        self._member.assign(self._consumer, assigned)
