"""What is known of each route, and how it is forgotten: events may name any agent."""

from time import process_time
from weakref import ref

from flow.crowd import (
    ACCEPTED,
    NOT_TUNER,
    OTHER_AGENT,
    OTHER_CREDENTIAL,
    OTHER_WORKSPACE,
    UNAUTHORIZED,
    Crowd,
)
from flow.road import ROUTE, Yard
from msgspec.structs import replace

from ingestor.core.effort import Effort
from ingestor.core.route import Route
from ingestor.core.verdict import Scope
from ingestor.flow.gate import Gate
from ingestor.flow.ways import MOST_ROUTES


def accepting(crowd: Crowd, route: Route) -> set[Scope]:
    """Tell under which of its keys *route* has seen a call accepted."""
    return {it.key.scope for it in crowd.gate.way(route).standings if it.accepted}


def meet_many_routes(gate: Gate) -> None:
    """Have the gate see more routes than it keeps."""
    for number in range(MOST_ROUTES + 1):
        gate.way(replace(OTHER_CREDENTIAL, agent=str(number)))


async def test_an_accepted_call_counts_for_every_key_of_its_route() -> None:
    """Whoever shares a key sees that something passes under it."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a")
        await crowd.clock.advance(0)
        crowd.answer("a", ACCEPTED)
        await crowd.clock.advance(0)

        assert accepting(crowd, ROUTE) == set(Scope)
        assert accepting(crowd, OTHER_AGENT) == set(Scope) - {Scope.ROUTE}
        assert accepting(crowd, OTHER_WORKSPACE) == {
            Scope.CREDENTIAL,
            Scope.DESTINATION,
            Scope.SERVER,
        }
        assert accepting(crowd, OTHER_CREDENTIAL) == {Scope.SERVER}


async def test_a_route_is_proven_once_it_has_accepted_a_call() -> None:
    """From then on an unknown route is no fault of the settings; ids of an event never are."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        way = crowd.gate.way(ROUTE)
        assert not way.is_proven
        assert crowd.gate.way(replace(ROUTE, is_configured=False)).is_proven

        crowd.come("a")
        await crowd.clock.advance(0)
        crowd.answer("a", ACCEPTED)
        await crowd.clock.advance(0)

        assert crowd.gate.way(ROUTE).is_proven


async def test_the_number_of_known_routes_is_bounded() -> None:
    """An event may name an agent that no other ever names: memory must not grow with them."""
    async with Yard() as yard:
        gate = Crowd(yard).gate
        # It lives as long as its way, of which there can be no weak reference.
        seen = ref(gate.way(ROUTE)._use)  # noqa: SLF001 - nothing public tells of memory

        meet_many_routes(gate)

        assert seen() is None


async def test_what_forgotten_routes_proved_is_learnt_again() -> None:
    """Their keys are forgotten with them: an event may name any workspace as well."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a")
        await crowd.clock.advance(0)
        crowd.answer("a", ACCEPTED)
        await crowd.clock.advance(0)

        meet_many_routes(crowd.gate)

        assert accepting(crowd, ROUTE) == set()


async def test_a_route_in_use_shares_its_keys_with_those_that_come_later() -> None:
    """Else a record that keeps failing would never see that others pass, and try for ever."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        way = crowd.gate.way(ROUTE)

        meet_many_routes(crowd.gate)
        crowd.come("later")
        await crowd.clock.advance(0)
        crowd.answer("later", ACCEPTED)
        await crowd.clock.advance(0)

        assert {it.key.scope for it in way.standings if it.accepted} == set(Scope)
        assert all(way.under(it) is crowd.gate.way(ROUTE).under(it) for it in Scope)


async def test_a_hold_outlives_the_routes_that_are_forgotten() -> None:
    """It was told that it began: it must be told that it ended."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.gate.passage(crowd.gate.way(ROUTE), Effort()).learn(UNAUTHORIZED)

        meet_many_routes(crowd.gate)
        crowd.come("b", "c")
        await crowd.clock.advance(0)
        assert crowd.inside == []
        await crowd.probe(ACCEPTED)

        assert crowd.inside == ["c"]
        assert crowd.observer.lifts == [key for key, _ in crowd.observer.holds]


async def test_many_routes_under_a_hold_are_no_burden() -> None:
    """What cannot be forgotten yet must not be looked through again for each route that is new: a
    blocked loop misses its heartbeats.
    """
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(NOT_TUNER)
        routes = [replace(ROUTE, agent=str(number)) for number in range(MOST_ROUTES + 1_000)]
        ways = [crowd.gate.way(route) for route in routes[:MOST_ROUTES]]

        begin = process_time()
        ways += [crowd.gate.way(route) for route in routes[MOST_ROUTES:]]

        assert process_time() - begin < 1, "a hundredth of a second, or twenty"
        assert not any(way.is_free for way in ways)
