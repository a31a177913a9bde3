"""A member whose place was taken by another process knows it, and does not take it back."""

import asyncio

import pytest
from edge.embedded import FIRST, GROUP, SESSION_SECONDS, publish
from edge.members import Member, member

from ingestor.devkit.embedded_broker import DISCONNECT, Api, EmbeddedBroker
from ingestor.edge.kafka_fence import ANSWER_SECONDS, FENCED_INSTANCE_ID, FencedError

UNKNOWN_MEMBER = 25


def joins(broker: EmbeddedBroker) -> int:
    """Count the requests to join since they are recorded."""
    return sum(request.api == Api.JOIN_GROUP for request in broker.requests())


async def pushed_out(broker: EmbeddedBroker, reader: Member, answer: int) -> None:
    """Tell *reader* that the group does not know it, and *answer* when it asks why."""
    await publish(broker, FIRST, b"0")
    await reader.until(lambda: reader.records)
    broker.record_requests()
    broker.fail_next(Api.HEARTBEAT, [UNKNOWN_MEMBER, answer])


async def test_a_member_that_was_pushed_out_ends(broker: EmbeddedBroker) -> None:
    """It gives its partitions up, and does not join again: that would push the other one out."""
    async with member(
        broker.bootstrap_servers, "calls", group=GROUP, group_instance_id="pod-0"
    ) as reader:
        await pushed_out(broker, reader, FENCED_INSTANCE_ID)
        with pytest.raises(FencedError, match="pod-0"):
            await reader.until(lambda: False)
        with pytest.raises(FencedError):
            await reader.take()
        ended = reader.keeper.ended
        await asyncio.sleep(1)  # by now it would have joined
        assert joins(broker) == 0

    assert ended == 2  # at the first join, and now
    assert reader.keeper.owned == {}
    assert reader.keeper.changes == []


@pytest.mark.parametrize("answer", [UNKNOWN_MEMBER, 0, DISCONNECT])
async def test_a_member_that_was_forgotten_joins_again(broker: EmbeddedBroker, answer: int) -> None:
    """Its session ran out, or the broker does not say: nobody is known to have its place."""
    async with member(
        broker.bootstrap_servers,
        "calls",
        group=GROUP,
        group_instance_id="pod-0",
        session_seconds=SESSION_SECONDS,
    ) as reader:
        await pushed_out(broker, reader, answer)
        await reader.until(lambda: len(reader.keeper.begun) == 2)

    assert reader.keeper.changes == []


async def test_a_broker_that_does_not_answer_is_not_waited_for(broker: EmbeddedBroker) -> None:
    """The group waits meanwhile."""
    async with member(
        broker.bootstrap_servers,
        "calls",
        group=GROUP,
        group_instance_id="pod-0",
        session_seconds=SESSION_SECONDS,
    ) as reader:
        await reader.joined()
        consumer = reader.source._consumer  # noqa: SLF001 - the client names it to the listener
        consumer._coordinator.member_id = ""  # noqa: SLF001 - as the client does when it was forgotten
        broker.set_round_trip(60_000)
        async with asyncio.timeout(ANSWER_SECONDS + 1):
            await reader.source.revoke(consumer)

    assert reader.keeper.owned == {}


async def test_without_a_name_nobody_can_take_a_place(broker: EmbeddedBroker) -> None:
    """Whoever is not known joins again, as always, and asks nothing."""
    async with member(
        broker.bootstrap_servers, "calls", group=GROUP, session_seconds=SESSION_SECONDS
    ) as reader:
        await pushed_out(broker, reader, 0)
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        heartbeats = [r for r in broker.requests() if r.api == Api.HEARTBEAT]

    assert heartbeats
    assert reader.keeper.changes == []
