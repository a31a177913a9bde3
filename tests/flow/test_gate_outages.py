"""A server that is out of order is left alone, tried by one call at a time, and returned to in
steps.
"""

from itertools import pairwise

import pytest
from flow.crowd import (
    ACCEPTED,
    AGAIN,
    BROKEN,
    NOT_TUNER,
    OTHER_AGENT,
    OTHER_BASE_URL,
    OTHER_CREDENTIAL,
    OTHER_WORKSPACE,
    REFUSED,
    UNAUTHORIZED,
    Crowd,
    rest,
)
from flow.road import ROUTE, Yard

from ingestor.core.holds import Key, key
from ingestor.core.notice import Kind
from ingestor.core.verdict import Scope, Verdict

SERVER = key(Scope.SERVER, ROUTE)
RUN = 10


async def go_down(crowd: Crowd, *others: str) -> list[str]:
    """Have as many new calls fail as it takes, and *others* come behind them; return all names."""
    names = await go_down_beside(crowd)
    crowd.come(*others)
    await crowd.clock.advance(0)
    assert crowd.inside == []
    return [*names, *others]


async def accept_all(crowd: Crowd) -> int:
    """Accept those who are inside; return how many they were."""
    inside = crowd.inside
    for name in inside:
        crowd.answer(name, ACCEPTED)
    await crowd.clock.advance(0)
    return len(inside)


async def test_a_run_of_failures_stops_all_that_goes_to_the_server() -> None:
    """Whatever the credential, the workspace or the agent; other servers go on."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd, "same")

        for route in (OTHER_AGENT, OTHER_WORKSPACE, OTHER_CREDENTIAL, OTHER_BASE_URL):
            crowd.come(str(route), route=route)
        await crowd.clock.advance(0)

        assert crowd.inside == [str(OTHER_BASE_URL)]
        assert crowd.observer.holds == [(str(SERVER), "status_500")]
        assert crowd.observer.notices[0].matter.kind is Kind.OUTAGE


async def test_nine_failures_in_a_row_stop_nobody() -> None:
    """Nor do many, with an answer now and then."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        for number in range(100):
            crowd.come(name := f"call {number}")
            await crowd.clock.advance(60)
            crowd.answer(name, REFUSED if number % RUN == RUN - 1 else BROKEN)
            await crowd.clock.advance(0)
            crowd.tasks[name].cancel()

        assert crowd.observer.holds == []


async def test_probes_come_one_at_a_time_with_pauses_that_grow_to_half_a_minute() -> None:
    """Each with another call while there is one."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        names = await go_down(crowd, "other")
        times, probes = [crowd.clock.now()], []

        for _ in range(len(names)):
            probes.append(await crowd.probe(BROKEN))
            times.append(crowd.clock.now())

        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses == [2, 4, 8, 16] + [30] * (len(names) - 4)
        assert sorted(probes) == sorted(names)
        assert crowd.observer.holds == [(str(SERVER), "status_500")]
        assert crowd.observer.lifts == []


async def test_pauses_are_shortened_by_chance() -> None:
    """Lest all processes of a group knock at the same time."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.dice.show(0.5)
        await go_down(crowd)
        begin = crowd.clock.now()

        await crowd.probe(BROKEN)
        await crowd.probe(BROKEN)

        assert crowd.clock.now() - begin == 1.5 + 3


async def test_calls_come_back_in_steps() -> None:
    """A server that has just come up must not meet all that has piled up."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd, *(f"other {number}" for number in range(100)))

        assert await crowd.probe(ACCEPTED)
        steps = [await accept_all(crowd) for _ in range(6)]

        assert steps == [2, 4, 8, 16, 32, 47], "the last ones go at once: it has proved itself"
        assert crowd.observer.lifts == [str(SERVER)]
        assert crowd.waiting == []


async def test_an_outage_is_over_when_all_that_have_piled_up_are_through() -> None:
    """Who comes now is not one of them."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)
        await crowd.probe(ACCEPTED)

        steps = [await accept_all(crowd) for _ in range(2)]
        assert crowd.observer.lifts == []
        steps.append(await accept_all(crowd))
        crowd.come(*(f"later {number}" for number in range(100)))
        await crowd.clock.advance(0)

        assert steps == [2, 4, 3]
        assert crowd.observer.lifts == [str(SERVER)]
        assert len(crowd.inside) == 100


async def test_failures_on_the_way_back_stop_it_again() -> None:
    """A few of them do not; so many in a row do, and the probes begin anew."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)
        await crowd.probe(ACCEPTED)
        for _ in range(5):
            assert len(crowd.inside) == 2, "no more at a time than before"
            crowd.answer(crowd.inside[0], BROKEN)
            await crowd.clock.advance(0)
        (late,) = crowd.inside
        begin = crowd.clock.now()

        crowd.answer(late, ACCEPTED)
        await crowd.clock.advance(0)
        assert crowd.inside == [], "what was under way says nothing of what is now"
        await crowd.probe(ACCEPTED)

        assert crowd.clock.now() - begin == 2
        assert len(crowd.inside) == 2
        assert (len(crowd.observer.holds), crowd.observer.lifts) == (1, [])


async def test_one_on_the_way_back_who_gives_up_leaves_his_place_to_another() -> None:
    """At any step: nobody waits for one who is gone."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)
        await crowd.probe(ACCEPTED)
        before = set(crowd.inside)

        crowd.tasks[crowd.inside[0]].cancel()
        await crowd.clock.advance(0)

        assert len(crowd.inside) == 2
        assert set(crowd.inside) - before


@pytest.mark.parametrize("verdict", [REFUSED, UNAUTHORIZED, AGAIN, rest(0)])
async def test_whoever_answers_as_a_server_that_works_is_back(verdict: Verdict) -> None:
    """To find fault with a key or a call it has to work."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)
        await crowd.probe(verdict)

        while crowd.waiting or crowd.inside:
            await crowd.clock.advance(1)
            await accept_all(crowd)

        assert str(SERVER) in crowd.observer.lifts
        assert len(crowd.observer.holds) == len(crowd.observer.lifts)


async def test_a_stranger_who_answers_in_its_place_says_nothing_of_it() -> None:
    """An ingress has a page of its own for a server that is down: both are held then."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)

        await crowd.probe(NOT_TUNER)
        destination: Key = key(Scope.DESTINATION, ROUTE)
        assert crowd.observer.holds[1:] == [(str(destination), "not_tuner")]
        begin = crowd.clock.now()
        await crowd.probe(ACCEPTED)

        assert crowd.clock.now() - begin == 2
        assert len(crowd.inside) == 2
        assert crowd.observer.lifts == [str(destination)]


async def test_failures_that_were_under_way_do_not_begin_another_outage() -> None:
    """They are news of yesterday, as soon as somebody was answered."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        late = [f"late {number}" for number in range(RUN - 1)]
        crowd.come(*late)
        names = await go_down_beside(crowd)
        for _ in names:
            await crowd.clock.advance(2)
            await accept_but(crowd, late)
        assert crowd.observer.lifts == [str(SERVER)]

        for name in late:
            crowd.answer(name, BROKEN)
        await crowd.clock.advance(0)

        assert len(crowd.observer.holds) == 1


async def go_down_beside(crowd: Crowd) -> list[str]:
    """Have the server go down while others are under way."""
    names = [f"first {number}" for number in range(RUN)]
    crowd.come(*names)
    await crowd.clock.advance(0)
    while inside := [name for name in names if name in crowd.inside]:
        for name in inside:
            crowd.answer(name, BROKEN)
        await crowd.clock.advance(0)
    return names


async def accept_but(crowd: Crowd, others: list[str]) -> None:
    """Accept all who are inside but *others*."""
    for name in set(crowd.inside) - set(others):
        crowd.answer(name, ACCEPTED)
    await crowd.clock.advance(0)


async def test_what_failed_before_an_outage_does_not_count_after_it() -> None:
    """Else the first failure afterwards would begin another one."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await go_down(crowd)
        await crowd.probe(ACCEPTED)
        while crowd.inside:
            await accept_all(crowd)
        for number in range(9):
            crowd.come(f"good {number}")
        await crowd.clock.advance(0)
        await accept_all(crowd)

        crowd.come("bad")
        await crowd.clock.advance(0)
        crowd.answer("bad", BROKEN)
        await crowd.clock.advance(0)

        assert len(crowd.observer.holds) == 1


async def test_a_fault_is_noted_under_its_key() -> None:
    """So that a call that meets it as well is not blamed for it."""
    for verdict, scope in ((rest(1), Scope.DESTINATION), (UNAUTHORIZED, Scope.CREDENTIAL)):
        async with Yard() as yard:
            crowd = Crowd(yard)
            crowd.come("a")
            await crowd.clock.advance(0)
            crowd.answer("a", verdict)
            await crowd.clock.advance(0)

            standings = crowd.gate.way(ROUTE).standings
            assert [it.key.scope for it in standings if it.met] == [scope]
