"""A record's attempts are spent only while others pass: then, and only then, the fault is its
own.
"""

import pytest
from fakes import CREATED, FakeTuner, Posted
from flow.road import (
    BROKEN,
    DESTINATION,
    FORBIDDEN,
    NOT_TUNER,
    REFUSAL,
    ROUTE,
    TIMEOUT,
    UNAUTHORIZED,
    UNKNOWN,
    Measures,
    Road,
    busy_for,
    call,
    open_road,
)
from msgspec.structs import replace

from ingestor.core.answer import Answer, Answered
from ingestor.core.outcome import Dead, Delivered, Reason
from ingestor.core.route import Route

THREE = Measures(attempts=3)
ELSEWHERE = replace(ROUTE, destination=replace(DESTINATION, credential="second"))


def only_bad(answer: Answer) -> FakeTuner:
    """Make a Tuner that gives *answer* to the call `bad`, and accepts all others."""

    def reply(posted: Posted) -> Answer:
        return answer if posted.call_id == "bad" else CREATED

    return FakeTuner(answer=reply)


async def attempt(road: Road, count: int) -> None:
    """Let time pass until `bad` was posted *count* times and has its answer."""
    await road.clock.advance_until(lambda: road.tuner.call_ids.count("bad") == count)


async def good(road: Road, route: Route = ROUTE) -> None:
    """Have another call accepted."""
    task = road.start(road.deliver(call("good"), route))
    await road.clock.advance_until(task.done)
    assert isinstance(task.result(), Delivered)


@pytest.mark.parametrize(
    ("answer", "cause", "status"),
    [
        (BROKEN, "status_500", 500),
        (TIMEOUT, "timeout", None),
        (UNAUTHORIZED, "unauthorized", 401),
        (FORBIDDEN, "forbidden", 403),
        (NOT_TUNER, "not_tuner", 200),
    ],
    ids=["500", "timeout", "401", "403", "not_tuner"],
)
async def test_one_that_keeps_failing_while_others_pass_is_exhausted(
    answer: Answer, cause: str, status: int | None
) -> None:
    """After exactly as many counted attempts as it has, and it stops nobody meanwhile."""
    async with open_road(only_bad(answer), THREE) as road:
        road.tuner.hold("bad")
        bad = road.start(road.deliver(call("bad"), ROUTE))
        for count in (1, 2, 3):
            await attempt(road, count)
            assert not bad.done()
            await good(road)
            road.tuner.release()
            road.tuner.hold("bad")
        await road.clock.advance(0)

        message = f"kept failing while other calls were accepted; 3 attempts, the last: {cause}"
        outcome = bad.result()
        assert isinstance(outcome, Dead)
        assert outcome == Dead(Reason.EXHAUSTED, message, (), status, outcome.tries, "bad")
        assert outcome.tries.count == 3
        assert road.observer.holds == []


@pytest.mark.parametrize("answer", [BROKEN, TIMEOUT, busy_for(1)], ids=["500", "timeout", "429"])
async def test_an_outage_never_counts(answer: Answer) -> None:
    """However long: nothing is accepted, so nothing tells that it is the call's own fault."""
    tuner = FakeTuner({"bad": [answer] * 200})
    async with open_road(tuner, THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))

        await road.clock.advance_until(bad.done)

        outcome = bad.result()
        assert isinstance(outcome, Delivered)
        assert outcome.tries.count == 201


async def test_only_failures_with_an_acceptance_in_between_count() -> None:
    """Of ten attempts in an outage none, afterwards each."""
    async with open_road(only_bad(BROKEN), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        await attempt(road, 10)

        for count in (11, 12, 13):
            assert not bad.done()
            await good(road)
            await attempt(road, count)
            await road.clock.advance(0)

        outcome = bad.result()
        assert isinstance(outcome, Dead)
        assert outcome.tries.count == 13


async def test_many_acceptances_between_two_attempts_count_one_failure() -> None:
    """A budget of attempts, not of other calls."""
    async with open_road(only_bad(BROKEN), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        await attempt(road, 1)

        for _ in range(10):
            await good(road)
        await attempt(road, 3)
        await road.clock.advance(60)

        assert not bad.done()


async def test_what_passes_elsewhere_does_not_count() -> None:
    """Another destination may be well while this one is down."""
    async with open_road(only_bad(BROKEN), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        for count in range(1, 10):
            await attempt(road, count)
            await good(road, ELSEWHERE)

        assert not bad.done()


async def test_a_refusal_of_others_does_not_count() -> None:
    """A server that refuses everything it can still refuse is not one that works."""
    async with open_road(FakeTuner({"bad": [BROKEN] * 100}, lambda _: REFUSAL), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        for count in range(1, 10):
            await attempt(road, count)
            other = road.start(road.deliver(call("other"), ROUTE))
            await road.clock.advance_until(other.done)

        assert not bad.done()


async def test_waits_are_counted_from_the_attempts_not_from_the_failures_that_count() -> None:
    """In an outage the pauses grow as well."""
    async with open_road(FakeTuner({"bad": [BROKEN] * 5}), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        await road.clock.advance_until(bad.done)

        assert road.clock.naps == [0.5, 1, 2, 4, 4]


async def test_one_that_meets_a_hold_alone_is_not_dead_however_often() -> None:
    """With a wrong key nothing is accepted: it is our own fault, and the calls wait for it."""
    async with open_road(FakeTuner({"bad": [UNAUTHORIZED] * 50}), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))

        await road.clock.advance_until(bad.done)

        outcome = bad.result()
        assert isinstance(outcome, Delivered)
        assert outcome.tries.count == 51
        assert len(road.observer.holds) == len(road.observer.lifts) == 1
        assert road.clock.naps == [], "a hold has pauses of its own"


async def test_one_bad_call_never_holds_up_the_others_for_long() -> None:
    """It begins a hold when nothing passed meanwhile; the next probe lifts it, and from then on its
    failures are its own.
    """
    async with open_road(only_bad(UNAUTHORIZED), THREE) as road:
        bad = road.start(road.deliver(call("bad"), ROUTE))
        await attempt(road, 1)
        await road.clock.advance(0)
        assert len(road.observer.holds) == 1
        others = [road.start(road.deliver(call(str(n)), ROUTE)) for n in range(10)]

        await road.clock.advance_until(lambda: all(other.done() for other in others), most=3)
        while not bad.done():
            await good(road)
            await road.clock.advance(0.5)

        assert isinstance(bad.result(), Dead)
        assert len(road.observer.holds) == 1


async def test_a_configured_route_that_is_unknown_holds_until_it_is_proven() -> None:
    """A wrong agent id in the settings is our fault; once a call was accepted it is the call's."""
    tuner = FakeTuner({"a": [UNKNOWN, CREATED], "b": [UNKNOWN]})
    async with open_road(tuner, THREE) as road:
        first = road.start(road.deliver(call("a"), ROUTE))
        await road.clock.advance_until(first.done)
        second = road.start(road.deliver(call("b"), ROUTE))
        await road.clock.advance_until(second.done)

        assert isinstance(first.result(), Delivered)
        dead = second.result()
        assert isinstance(dead, Dead)
        assert (dead.reason, dead.status) == (Reason.REFUSED, 404)


async def test_ids_of_the_event_itself_are_the_events_own_fault() -> None:
    """Nobody has to wait for an agent that only this call names."""
    own = replace(ROUTE, is_configured=False)
    async with open_road(FakeTuner({"a": [UNKNOWN]}), THREE) as road:
        dead = await road.deliver(call("a"), own)

        assert isinstance(dead, Dead)
        assert road.observer.holds == []


async def test_a_status_that_is_told_is_the_last_one() -> None:
    """A letter names what it died of, not what it met before."""
    answers: list[Answer] = [TIMEOUT, BROKEN, Answered(503)]
    async with open_road(FakeTuner({"bad": answers}), THREE) as road:
        road.tuner.hold("bad")
        bad = road.start(road.deliver(call("bad"), ROUTE))
        for count in (1, 2, 3):
            await attempt(road, count)
            await good(road)
            road.tuner.release()
            road.tuner.hold("bad")
        await road.clock.advance(0)

        outcome = bad.result()
        assert isinstance(outcome, Dead)
        assert outcome.status == 503
