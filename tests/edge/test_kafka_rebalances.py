"""What was finished before a rebalance stays finished, and the rest comes again."""

import asyncio
from collections.abc import Iterator

import pytest
from edge.embedded import FIRST, GROUP, SECOND, numbers, publish, reader_of
from edge.hostile import until
from edge.members import Member
from edge.raw_batches import Poison

from ingestor.devkit.embedded_broker import Api, EmbeddedBroker

REBALANCING = 27


async def test_a_rebalance_begins_anew_at_what_was_committed(broker: EmbeddedBroker) -> None:
    """The assignment ends before the partitions are given up: what it commits then counts."""
    await publish(broker, FIRST, *numbers(*range(5)))

    async def commit() -> None:
        assert await reader.source.ends() == {}
        assert await reader.source.commit({FIRST: 3})

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 5)
        assert await reader.source.commit({FIRST: 1})
        reader.keeper.ending = commit
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.records) == 7)
        reader.keeper.ending = None

    assert reader.keeper.begun == [{FIRST: 0, SECOND: 0}, {FIRST: 3, SECOND: 0}]
    assert reader.values(0) == numbers(*range(5), 3, 4)
    assert reader.keeper.changes == []


async def test_nothing_is_handed_out_between_two_assignments(broker: EmbeddedBroker) -> None:
    """What a poll brings that began before the rebalance is nobody's: it comes again."""
    await publish(broker, FIRST, *numbers(*range(3)))
    is_ended = asyncio.Event()

    async def publish_more() -> None:
        await publish(broker, FIRST, *numbers(*range(3, 6)))
        reader.keeper.ending = None
        is_ended.set()

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 3)
        reader.keeper.ending = publish_more
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        async with asyncio.TaskGroup() as tasks:
            taking = tasks.create_task(reader.run())
            await is_ended.wait()
            await until(lambda: len(reader.records) == 9)
            taking.cancel()

    assert reader.keeper.taken == [0, 3]
    assert reader.values(0)[3:] == numbers(*range(6))


async def test_a_poll_that_a_rebalance_overtakes_hands_out_nothing(
    broker: EmbeddedBroker,
) -> None:
    """What it brings comes again; this broker answers a fetch late, which leaves time for it."""
    await publish(broker, FIRST, b"0")

    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.records)
        consumer = reader.source._consumer  # noqa: SLF001 - the client names it to the listener
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish(broker, FIRST, b"1"))
            assert await reader.take() == []
        async with asyncio.TaskGroup() as tasks:
            taking = tasks.create_task(reader.take())
            await asyncio.sleep(0)
            await reader.source.revoke(consumer)
        assert taking.result() == []

        reader.source.assign(consumer, consumer.assignment())
        await reader.until(lambda: len(reader.records) == 3)

    assert reader.keeper.taken == [0, 1]
    assert reader.values(0) == [b"0", b"0", b"1"]


async def test_a_bug_in_the_end_of_an_assignment_is_raised_by_take(
    broker: EmbeddedBroker,
) -> None:
    """The client would only log it; so it ends the service."""

    async def bug() -> None:
        raise ZeroDivisionError

    async with reader_of(broker) as reader:
        await reader.joined()
        reader.keeper.ending = bug
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        with pytest.raises(ZeroDivisionError):
            await reader.until(lambda: False)

    assert reader.keeper.changes == []


async def test_a_bug_in_the_begin_of_an_assignment_is_raised_by_take(
    broker: EmbeddedBroker,
) -> None:
    """It is not one of Kafka's failures, which are told and tried again."""

    async with reader_of(broker) as reader:
        reader.source.serve(Clumsy())
        with pytest.raises(ZeroDivisionError):
            await reader.until(lambda: False, ())

    assert reader.keeper.changes == []


class Clumsy:
    """An owner that fails at once."""

    def begin(self, starts: object) -> None:
        """Fail."""
        raise ZeroDivisionError(str(starts))

    def renew(self, age: float) -> None:
        """Do nothing."""

    async def end(self) -> None:
        """Do nothing."""


async def test_a_consumer_that_was_given_up_has_no_say(broker: EmbeddedBroker) -> None:
    """Its last words may come late."""
    async with reader_of(broker) as reader:
        await reader.joined()
        await publish(broker, FIRST, b"1")

        await reader.source.revoke(object())
        reader.source.assign(object(), ())
        await reader.until(lambda: reader.records)

    assert reader.keeper.ended == 1
    assert len(reader.keeper.begun) == 1


async def test_a_rebalance_may_overtake_the_one_before(broker: EmbeddedBroker) -> None:
    """While it was still being asked where to begin, everything was taken away again."""
    await publish(broker, FIRST, b"1")
    not_the_leader = 6

    async with reader_of(broker) as reader:
        # The client asks again every tenth of a second: the next heartbeat comes sooner.
        broker.fail_next(Api.LIST_OFFSETS, [not_the_leader] * 20)
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: reader.records)

    assert reader.keeper.ended == 2
    assert len(reader.keeper.begun) == 1
    assert reader.values(0) == [b"1"]


async def test_a_rescue_of_an_earlier_assignment_is_over(broker: EmbeddedBroker) -> None:
    """What it found and nobody finished is found again by whoever has the partition next."""
    await publish(broker, FIRST, b"bad", poison=Poison.CHECKSUM)

    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.records)
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        await reader.until(lambda: len(reader.records) == 2)
        await publish(broker, FIRST, b"good")
        await reader.until(lambda: len(reader.records) == 3)

    assert reader.records[0] == reader.records[1]
    assert reader.records[2].value == b"good"


# The coordinator


@pytest.fixture
def two_brokers() -> Iterator[EmbeddedBroker]:
    """Two brokers; the group is coordinated by the first."""
    with EmbeddedBroker(brokers=2) as broker:
        broker.create_topic("calls", partitions=2)
        broker.move_coordinator(GROUP, broker=1)
        yield broker


async def test_a_coordinator_that_moves_costs_nothing(two_brokers: EmbeddedBroker) -> None:
    """The new one is found, and knows the group: no rebalance, and commits count."""
    await publish(two_brokers, FIRST, b"1")

    async with reader_of(two_brokers) as reader:
        await reader.until(lambda: reader.records)
        two_brokers.move_coordinator(GROUP, broker=2)
        two_brokers.take_down(1)
        two_brokers.move_leader("calls", 0, broker=2)
        assert await reader.source.commit({FIRST: 1})
        await publish(two_brokers, FIRST, b"2")
        await reader.until(lambda: len(reader.records) == 2)
        two_brokers.record_requests()
        await reader.until(lambda: heartbeats(two_brokers, 2) >= 2)

    assert len(reader.keeper.begun) == 1
    assert reader.keeper.changes == []


async def test_a_coordinator_that_is_not_available_is_waited_for(broker: EmbeddedBroker) -> None:
    """As after a restart, while it still reads what it knew of the group."""
    not_available, not_coordinator = 15, 16

    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.FIND_COORDINATOR, [not_available] * 2)
        broker.fail_next(Api.HEARTBEAT, [not_coordinator])
        broker.record_requests()
        await reader.until(lambda: heartbeats(broker, 1) >= 3)
        assert await reader.source.commit({FIRST: 0})

    assert len(reader.keeper.begun) == 1
    assert reader.keeper.changes == []


def heartbeats(broker: EmbeddedBroker, number: int) -> int:
    """Count the heartbeats to broker *number* since they are recorded."""
    return sum(r.api == Api.HEARTBEAT and r.broker == number for r in broker.requests())


# Offsets that are gone


async def test_records_that_were_removed_before_they_were_read_are_counted(
    broker: EmbeddedBroker,
) -> None:
    """While nobody read, the broker removed what it had no room for."""
    await publish(broker, FIRST, *numbers(*range(10)))
    async with reader_of(broker) as reader:
        await reader.joined()
    for _ in range(12):
        await publish(broker, FIRST, b"x" * 900_000)

    async with reader_of(broker) as reader:
        begin = (await reader.joined())[FIRST]
        await reader.until(lambda: reader.records)

    assert begin >= 10
    assert reader.records[0].offset == begin
    assert reader.keeper.gone == [(FIRST, 0, begin - 1)]


async def overtaken(broker: EmbeddedBroker, reader: Member) -> None:
    """Have *reader* wait for a record that is gone when it comes to it."""
    await publish(broker, FIRST, b"0")
    await reader.until(lambda: reader.records)
    assert await reader.source.commit({FIRST: 1})
    broker.take_down()
    await reader.take(())
    broker.bring_up()
    for _ in range(14):
        await publish(broker, FIRST, b"x" * 900_000)
    await publish(broker, SECOND, b"good")


async def test_records_that_are_removed_while_they_wait_are_counted(
    broker: EmbeddedBroker,
) -> None:
    """There was no room for them; then everything begins anew at what there is."""
    async with reader_of(broker) as reader:
        await overtaken(broker, reader)
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        await reader.until(lambda: reader.values(1))

    begin = reader.keeper.begun[1][FIRST]
    assert reader.keeper.gone == [(FIRST, 1, begin - 1)]
    assert reader.keeper.told("offsets_out_of_range") == [{}]
    assert reader.values(1)[-1] == b"good"


async def test_a_rebalance_may_overtake_a_new_beginning(broker: EmbeddedBroker) -> None:
    """Both end the assignment; only one of them begins the next."""
    both = asyncio.Barrier(2)

    async def rebalance() -> None:
        if reader.keeper.ended == 1:
            reader.keeper.ended += 1
            broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await both.wait()
        reader.keeper.ending = None

    async with reader_of(broker) as reader:
        await overtaken(broker, reader)
        reader.keeper.ending = rebalance
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        await reader.until(lambda: reader.values(1))

    assert reader.keeper.told("offsets_out_of_range") == [{}]
    assert len(reader.keeper.begun) == 2
