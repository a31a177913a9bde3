"""Whether the group counts us in is heard from its own answers, and from nothing else."""

import pytest
from edge.embedded import GROUP, SESSION_SECONDS, reader_of
from edge.members import member

from ingestor.devkit.embedded_broker import Api, EmbeddedBroker

REBALANCING, UNKNOWN_MEMBER, NOT_COORDINATOR = 27, 25, 16


async def test_the_group_is_asked_before_anything_is_handed_over(broker: EmbeddedBroker) -> None:
    """And every second from then on, whether there are records or not."""
    async with reader_of(broker) as reader:
        await reader.joined()
        assert len(reader.keeper.ages) == 1

        await reader.until(lambda: len(reader.keeper.ages) > 2)

    assert all(0 <= age < 1 for age in reader.keeper.ages)


@pytest.mark.parametrize("code", [UNKNOWN_MEMBER, NOT_COORDINATOR])
async def test_another_answer_is_no_acknowledgement(broker: EmbeddedBroker, code: int) -> None:
    """A broker that does not know us, or does not know of us, has not counted us in."""
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.HEARTBEAT, [code] * 2)
        broker.record_requests()
        heard = len(reader.keeper.ages)
        await reader.until(lambda: any(it.api == Api.HEARTBEAT for it in broker.requests()))

        assert len(reader.keeper.ages) == heard
        await reader.until(lambda: len(reader.keeper.ages) > heard)


async def test_who_is_asked_to_join_again_is_counted_in(broker: EmbeddedBroker) -> None:
    """As long as it takes to give its partitions up."""
    async with reader_of(broker) as reader:
        await reader.joined()
        heard = len(reader.keeper.ages)
        broker.fail_next(Api.HEARTBEAT, [REBALANCING])
        await reader.until(lambda: len(reader.keeper.ages) > heard)

        await reader.until(lambda: len(reader.keeper.begun) == 2)

    assert reader.keeper.changes == []


async def test_who_is_forgotten_while_its_assignment_is_on_its_way_joins_again(
    broker: EmbeddedBroker,
) -> None:
    """The first question already says so."""
    broker.fail_next(Api.HEARTBEAT, [UNKNOWN_MEMBER])
    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.keeper.begun)
        assert reader.keeper.ages == []

        await reader.until(lambda: len(reader.keeper.begun) == 2 and reader.keeper.ages)


async def test_an_answer_is_as_old_as_its_question(broker: EmbeddedBroker) -> None:
    """A network that holds it back makes it older."""
    async with reader_of(broker) as reader:
        await reader.joined()
        heard = len(reader.keeper.ages)
        broker.set_round_trip(700)
        await reader.until(lambda: len(reader.keeper.ages) > heard + 1)

    assert max(reader.keeper.ages) >= 0.7


async def test_a_consumer_that_was_given_up_renews_nothing(broker: EmbeddedBroker) -> None:
    """Its last answer may come when another has taken its place."""
    async with member(
        broker.bootstrap_servers, "calls", group=GROUP, session_seconds=SESSION_SECONDS
    ) as reader:
        await reader.joined()
        heard = len(reader.keeper.ages)

        reader.source.renew(object(), 0.0)

        assert len(reader.keeper.ages) == heard
