"""When Tuner asks to be left alone, the whole destination is, for as long as it said."""

import pytest
from flow.crowd import (
    ACCEPTED,
    NOT_TUNER,
    OTHER_AGENT,
    OTHER_BASE_URL,
    OTHER_CREDENTIAL,
    OTHER_WORKSPACE,
    Crowd,
    rest,
)
from flow.road import Yard

from ingestor.core.verdict import Hold, Scope


async def test_a_rest_stops_the_whole_destination() -> None:
    """Not just the call that was told so: the others would be told the same."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("first")
        await crowd.clock.advance(0)

        crowd.answer("first", rest(30))
        await crowd.clock.advance(0)
        crowd.come("same")
        routes = (OTHER_AGENT, OTHER_WORKSPACE, OTHER_BASE_URL, OTHER_CREDENTIAL)
        for route in routes:
            crowd.come(str(route), route=route)
        await crowd.clock.advance(29.9)

        assert crowd.inside == [str(OTHER_BASE_URL), str(OTHER_CREDENTIAL)]


async def test_a_rest_ends_by_itself_for_everybody() -> None:
    """It is no hold: nobody has to probe, and nobody is told."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("first")
        await crowd.clock.advance(0)
        crowd.answer("first", rest(30))
        await crowd.clock.advance(0)
        crowd.come("b", "c")

        await crowd.clock.advance(30)

        assert sorted(crowd.inside) == ["b", "c", "first"]
        assert (crowd.observer.holds, crowd.observer.lifts) == ([], [])


@pytest.mark.parametrize(
    ("asked", "later", "ends"),
    [((10, 30), 0, 30), ((30, 10), 0, 30), ((30, 30), 0, 30), ((10, 10), 5, 15)],
)
async def test_the_rest_that_ends_last_counts(
    asked: tuple[float, float], later: float, ends: float
) -> None:
    """Those under way are told as well, each its own time, which counts from its answer."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b")
        await crowd.clock.advance(0)
        first, second = asked
        crowd.answer("a", rest(first))
        await crowd.clock.advance(later)
        crowd.answer("b", rest(second))
        await crowd.clock.advance(ends - later - 0.1)
        assert crowd.inside == []

        await crowd.clock.advance(0.1)

        assert sorted(crowd.inside) == ["a", "b"]


async def test_a_hold_met_during_a_rest_waits_for_its_end() -> None:
    """The next one will tell whether the fault is still there."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b")
        await crowd.clock.advance(0)
        crowd.answer("a", rest(10))
        await crowd.clock.advance(0)

        crowd.answer("b", NOT_TUNER)
        await crowd.clock.advance(9.9)

        assert crowd.inside == []
        assert crowd.observer.holds == []


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.SERVER])
async def test_a_probe_that_is_asked_to_wait_waits(scope: Scope) -> None:
    """Whatever was probed: the next probe comes when Tuner may be asked again."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        held = await crowd.hold(Hold(scope, "any"), "b")

        await crowd.probe(rest(30))
        await crowd.clock.advance(29.9)
        assert crowd.inside == []
        await crowd.clock.advance(1.1)
        assert len(crowd.inside) == 1, "the hold is still there"
        await crowd.probe(ACCEPTED)

        assert len(crowd.inside) == 1
        assert crowd.observer.lifts == [str(held)]


async def test_a_rest_asked_for_during_a_hold_delays_the_probe() -> None:
    """Those under way when the hold began are told as well."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("under way")
        await crowd.hold(NOT_TUNER)

        crowd.answer("under way", rest(30))
        await crowd.clock.advance(29.9)
        assert crowd.inside == []
        await crowd.clock.advance(0.1)

        assert len(crowd.inside) == 1


async def test_a_rest_asked_for_when_the_probe_is_due_delays_it() -> None:
    """Nobody was there to probe yet; who comes now has to wait."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("under way")
        await crowd.hold(NOT_TUNER)
        crowd.tasks["first"].cancel()
        await crowd.clock.advance(10)

        crowd.answer("under way", rest(30))
        await crowd.clock.advance(0)
        crowd.come("b")
        await crowd.clock.advance(29.9)
        assert crowd.inside == []
        await crowd.clock.advance(0.1)

        assert crowd.inside == ["b"]


async def test_a_rest_asked_for_while_a_probe_is_under_way_outlasts_it() -> None:
    """The hold is over, but Tuner wants to be left alone."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("under way")
        held = await crowd.hold(NOT_TUNER, "b", "c")
        await crowd.clock.advance(1)
        crowd.answer("under way", rest(30))
        await crowd.clock.advance(0)

        crowd.answer("b", ACCEPTED)
        await crowd.clock.advance(0)

        assert crowd.observer.lifts == [str(held)]
        assert crowd.inside == []
        await crowd.clock.advance(29.9)
        assert crowd.inside == []
        await crowd.clock.advance(0.1)
        assert sorted(crowd.inside) == ["c", "first", "under way"]
