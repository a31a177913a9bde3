"""One consumer is built as we need it, and stopped whatever it does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from core.tables import table
from edge.hostile import until

from ingestor.core.record import Partition, Record
from ingestor.core.starts import Reset
from ingestor.edge.kafka_consumer import (
    STOP_SECONDS,
    Listener,
    Subscription,
    is_credible,
    options,
    stop,
    without,
)

SUBSCRIPTION = Subscription(("calls",), "group", rebalance_seconds=12.5)


class Stoppable:
    """Something to stop, that behaves as told meanwhile; *ends* says how it came to an end."""

    def __init__(self, behaviour: Callable[[], Awaitable[None]]) -> None:
        self._behaviour = behaviour
        self.ends: list[str] = []
        self.client = self
        self.are_connections_open = True

    async def close(self) -> None:
        """Close the connections."""
        self.are_connections_open = False

    async def stop(self) -> None:
        """Stop."""
        try:
            await self._behaviour()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("stopped")


async def gently() -> None:
    """Take a moment."""
    await asyncio.sleep(0)


async def with_a_cancellation() -> None:
    """Raise what aiokafka's does when a fetch sleeps before its next try."""
    raise asyncio.CancelledError


async def with_an_error() -> None:
    """Raise something else."""
    raise ConnectionError("private")


async def never() -> None:
    """Wait for an answer that does not come."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("behaviour", [gently, with_a_cancellation, with_an_error])
async def test_a_consumer_is_stopped_however_it_ends(
    behaviour: Callable[[], Awaitable[None]],
) -> None:
    """A cancellation of its own is not ours, and an error changes nothing any more."""
    consumer = Stoppable(behaviour)

    async with asyncio.timeout(0.5):
        await stop(consumer)

    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
    assert consumer.are_connections_open == (behaviour is gently)


async def test_a_consumer_that_waits_for_an_answer_gets_none() -> None:
    """Without its connections it ends in order: cut off, it would leave its heartbeats behind."""

    async def as_long_as_connected() -> None:
        await until(lambda: not consumer.are_connections_open)

    consumer = Stoppable(as_long_as_connected)

    async with asyncio.timeout(STOP_SECONDS):
        await stop(consumer)

    assert consumer.ends == ["stopped"]


async def test_a_consumer_that_does_not_stop_is_cut_off() -> None:
    """After its time, which is not long: a service has to end."""
    consumer = Stoppable(never)

    async with asyncio.timeout(STOP_SECONDS):
        await stop(consumer)

    await until(lambda: consumer.ends == ["cancelled"])


async def test_whoever_stops_waiting_leaves_no_task_behind() -> None:
    """A deadline of the caller's own may be earlier."""
    consumer = Stoppable(never)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await stop(consumer)

    await until(lambda: consumer.ends == ["cancelled"])


async def test_a_consumer_commits_nothing_by_itself() -> None:
    """And never decides where to begin; only whole transactions are read."""
    given = options(SUBSCRIPTION)

    assert given["enable_auto_commit"] is False
    assert given["auto_offset_reset"] == "none"
    assert given["isolation_level"] == "read_committed"
    assert given["group_instance_id"] is None
    assert len(given["partition_assignment_strategy"]) == 1
    assert given["rebalance_timeout_ms"] == 12_500
    assert given["request_timeout_ms"] > given["rebalance_timeout_ms"]
    assert given["heartbeat_interval_ms"] * 3 <= given["session_timeout_ms"]
    assert SUBSCRIPTION.reset is Reset.EARLIEST


def test_topics_that_are_missing_are_named() -> None:
    """All of them, in an order that stays: what is told twice is told once."""
    subscription = Subscription(("b", "c", "a"), "group")

    assert without(subscription, {"a", "b", "c", "d"}) is None
    assert without(subscription, {"b", "d"}) == "no topic a, c"


class Recorder:
    """A member that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    async def revoke(self, consumer: object) -> None:
        """Note it."""
        self.told.append(("revoke", consumer))

    def assign(self, consumer: object, partitions: object) -> None:
        """Note it."""
        self.told.append(("assign", (consumer, partitions)))

    def renew(self, consumer: object, age: float) -> None:
        """Note it."""
        self.told.append(("renew", (consumer, age)))


async def test_a_listener_says_of_which_consumer_it_speaks() -> None:
    """One that was given up may still speak."""
    recorder, consumer = Recorder(), object()
    listener = Listener(recorder, consumer)

    await listener.on_partitions_revoked(set())
    listener.on_partitions_assigned(set())

    assert recorder.told == [("revoke", consumer), ("assign", (consumer, set()))]


@pytest.mark.parametrize(
    ("wanted", "whole", "part"),
    [
        (2**10, 2**18, 2**16),
        (2**22, 2**22, 2**20),
        (2**30, 2**24, 2**20),
    ],
)
def test_fetches_are_neither_tiny_nor_huge(wanted: int, whole: int, part: int) -> None:
    """Whatever the budget is: a larger record comes all the same."""
    subscription = Subscription(
        ("calls",), "group", fetch_bytes=wanted, partition_fetch_bytes=wanted
    )

    chosen = options(subscription)

    assert chosen["fetch_max_bytes"] == whole
    assert chosen["max_partition_fetch_bytes"] == part


CALLS = TopicPartition("calls", 0)


class Client:
    """A client that reads one partition, with aiokafka's own books; its next fetch is of *position*
    and the partition ends before *end*.
    """

    def __init__(self, *, position: int, end: int) -> None:
        self._subscription = SubscriptionState()
        self._subscription.assign_from_user([CALLS])
        state = self._subscription.subscription.assignment.state_value(CALLS)
        state.seek(position)
        state.highwater = end


@table(
    "offsets, is_good",
    {
        "one after the other": ([5, 6, 7], True),
        "with gaps, as a compacted topic has them": ([5, 8, 9], True),
        "later than expected": ([7], True),
        "none": ([], True),
        "again what was handed out": ([4, 5], False),
        "one of them twice": ([5, 5], False),
        "falling": ([5, 7, 6], False),
        "up to where the client goes on": ([9], True),
        "where the client goes on": ([5, 10], False),
    },
)
async def test_offsets_rise_up_to_where_the_client_goes_on(
    offsets: Sequence[int], *, is_good: bool
) -> None:
    """They are not under a checksum: what does not fit is read once more without the client."""
    records = [Record(Partition("calls", 0), offset, 0, None, b"") for offset in offsets]

    assert is_credible(Client(position=10, end=20), CALLS, records, 5) is is_good
    assert is_credible(Client(position=20, end=10), CALLS, records, 5) is is_good
