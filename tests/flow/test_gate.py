"""A hold stops exactly its key; one record at a time probes it, and an accepted probe lifts it."""

import asyncio
from itertools import pairwise

import pytest
from flow.crowd import (
    ACCEPTED,
    AGAIN,
    FORBIDDEN,
    NOT_TUNER,
    OTHER_AGENT,
    OTHER_BASE_URL,
    OTHER_CREDENTIAL,
    OTHER_WORKSPACE,
    REFUSED,
    UNAUTHORIZED,
    UNKNOWN_ROUTE,
    Crowd,
)
from flow.cut import Cut, Moment
from flow.road import ROUTE, Yard

from ingestor.core.effort import Effort
from ingestor.core.notice import Kind, Matter
from ingestor.core.remedies import remedy
from ingestor.core.route import Route
from ingestor.core.verdict import Hold, Scope
from ingestor.flow.notices import INTERVAL

OTHERS = (OTHER_AGENT, OTHER_WORKSPACE, OTHER_BASE_URL, OTHER_CREDENTIAL)


async def test_where_nothing_is_held_everybody_passes() -> None:
    """The gate costs nothing on a good day."""
    async with Yard() as yard:
        crowd = Crowd(yard)

        crowd.come("a", "b", "c")
        await crowd.clock.advance(0)

        assert crowd.inside == ["a", "b", "c"]
        assert crowd.observer.holds == []


@pytest.mark.parametrize(
    ("verdict", "stopped"),
    [
        (UNAUTHORIZED, {OTHER_AGENT, OTHER_WORKSPACE, OTHER_BASE_URL}),
        (FORBIDDEN, {OTHER_AGENT, OTHER_BASE_URL}),
        (NOT_TUNER, {OTHER_AGENT, OTHER_WORKSPACE}),
        (UNKNOWN_ROUTE, set()),
    ],
    ids=["credential", "workspace", "destination", "route"],
)
async def test_a_hold_stops_exactly_its_key(verdict: Hold, stopped: set[Route]) -> None:
    """The same fault would meet whoever shares the key, and nobody else."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        held = await crowd.hold(verdict)

        crowd.come("same")
        for route in OTHERS:
            crowd.come(str(route), route=route)
        await crowd.clock.advance(0)

        assert set(crowd.waiting) == {"first", "same", *map(str, stopped)}
        assert crowd.observer.holds == [(str(held), verdict.cause)]


async def test_after_a_pause_one_record_probes() -> None:
    """One more request tells as much as a hundred."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b", "c")

        await crowd.clock.advance(0.99)
        assert crowd.inside == []
        await crowd.clock.advance(0.01)
        assert crowd.inside == ["b"]
        crowd.come("d")
        await crowd.clock.advance(100)

        assert crowd.inside == ["b"]


async def test_who_comes_first_when_nobody_waits_probes() -> None:
    """After a drain those who waited are gone; the pause went by meanwhile."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED)
        crowd.tasks["first"].cancel()
        await crowd.clock.advance(10)

        crowd.come("b", "c")
        await crowd.clock.advance(0)

        assert crowd.inside == ["b"]


async def test_an_accepted_probe_lifts_the_hold_for_everybody() -> None:
    """And everybody goes on at once; how many run is for the slots to say."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        held = await crowd.hold(UNAUTHORIZED, "b", "c", "d")

        await crowd.probe(ACCEPTED)

        assert crowd.inside == ["c", "d", "first"]
        assert crowd.observer.lifts == [str(held)]
        assert len(crowd.observer.holds) == 1


async def test_a_refused_probe_lifts_the_hold_too() -> None:
    """Tuner took a look at the call: the key, the host and the ids are right."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        held = await crowd.hold(UNAUTHORIZED, "b", "c")

        await crowd.probe(REFUSED)

        assert crowd.inside == ["c", "first"]
        assert crowd.observer.lifts == [str(held)]


async def test_pauses_double_up_to_a_minute() -> None:
    """As long as the probe meets the fault; the hold is told once."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b")
        times = [crowd.clock.now()]

        for _ in range(9):
            await crowd.probe(UNAUTHORIZED)
            times.append(crowd.clock.now())

        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert len(crowd.observer.holds) == 1
        assert crowd.observer.lifts == []


async def test_an_inconclusive_probe_repeats_the_pause() -> None:
    """A timeout says nothing about the key; the pause need not grow for it."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b")
        await crowd.probe(UNAUTHORIZED)
        begin = crowd.clock.now()

        times = []
        for _ in range(3):
            await crowd.probe(AGAIN)
            times.append(crowd.clock.now() - begin)

        assert times == [2, 4, 6]


async def test_another_hold_met_by_a_probe_says_nothing_about_its_own() -> None:
    """A proxy that took over the host has not looked at the key."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        held = await crowd.hold(UNAUTHORIZED)
        crowd.come("other", route=OTHER_BASE_URL)
        await crowd.clock.advance(0)

        assert await crowd.probe(NOT_TUNER) == "other"
        await crowd.clock.advance(0.99)
        assert crowd.inside == []
        assert await crowd.probe(ACCEPTED) == "first"

        assert crowd.observer.lifts == [str(held)]
        assert crowd.inside == ["other"], "which probes the destination now"


async def test_each_probe_is_another_record() -> None:
    """While there are several, new ones first: one bad event can never hold everybody."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b", "c")

        probes = [await crowd.probe(UNAUTHORIZED) for _ in range(6)]

        assert probes == ["b", "c", "first", "b", "c", "first"]


async def test_only_the_one_whose_turn_it_is_is_woken() -> None:
    """With thousands in line a probe must not cost a step of each."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b", "c")
        bystander = Cut(0, Moment.ASLEEP)
        yard.start(bystander.drive(crowd.gate.admit(crowd.gate.way(ROUTE), is_new=False)))

        for _ in range(3):
            await crowd.probe(UNAUTHORIZED)

        assert bystander.suspensions == 1


async def test_a_second_fault_of_those_under_way_does_not_begin_anew() -> None:
    """Sixty-four were on the wire when the key became wrong: that is one hold and one pause."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b", "c")
        await crowd.clock.advance(0)

        crowd.answer("a", UNAUTHORIZED)
        await crowd.clock.advance(0.5)
        crowd.answer("b", UNAUTHORIZED)
        await crowd.clock.advance(0.5)

        assert crowd.inside == ["c", "a"], "the probe came after one second in all"
        assert len(crowd.observer.holds) == 1


async def test_success_of_those_under_way_does_not_lift_a_hold() -> None:
    """It began before the fault; only a probe tells what is now."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b")
        await crowd.clock.advance(0)
        crowd.answer("a", UNAUTHORIZED)
        await crowd.clock.advance(0)

        crowd.answer("b", ACCEPTED)
        await crowd.clock.advance(0.5)

        assert crowd.waiting == ["a"]
        assert crowd.observer.lifts == []


async def test_a_cancelled_probe_passes_the_right_to_probe_on() -> None:
    """Nothing was learnt: after the same pause it is somebody else's turn."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b")
        await crowd.clock.advance_until(lambda: crowd.inside == ["b"])

        crowd.tasks["b"].cancel()
        await crowd.clock.advance(1)

        assert crowd.inside == ["first"]


async def test_one_cancelled_as_its_turn_to_probe_comes_passes_it_on() -> None:
    """Between being woken and its first step a task may be cancelled; nobody waits the longer."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await crowd.hold(UNAUTHORIZED, "b")
        crowd.clock.call_later(1.0, lambda: cancel(crowd.tasks["b"]))

        await crowd.clock.advance(1)

        assert crowd.tasks["b"].cancelled()
        assert crowd.inside == ["first"]


async def test_one_stopped_by_two_holds_waits_for_both() -> None:
    """It probes both at once, and an acceptance lifts both."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b", "c")
        await crowd.clock.advance(0)
        crowd.answer("a", UNAUTHORIZED)
        crowd.answer("b", NOT_TUNER)
        await crowd.clock.advance(0.99)
        assert crowd.inside == ["c"]

        await crowd.clock.advance(0.01)
        assert crowd.inside == ["c", "a"]
        crowd.answer("a", ACCEPTED)
        await crowd.clock.advance(0)

        assert crowd.inside == ["c", "b"]
        assert {what.split()[0] for what in crowd.observer.lifts} == {"credential", "destination"}


async def test_the_turn_to_probe_goes_to_one_whose_way_is_otherwise_free() -> None:
    """Who is first in the line for one hold and stopped by another lets the next one go."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("a", "b")
        crowd.come("other", route=OTHER_BASE_URL)
        await crowd.clock.advance(0)
        crowd.answer("a", UNAUTHORIZED)
        await crowd.clock.advance(0.5)
        crowd.answer("b", NOT_TUNER)
        crowd.answer("other", UNAUTHORIZED)
        await crowd.clock.advance(0)

        await crowd.clock.advance(0.5)

        assert crowd.inside == ["other"]


async def test_one_who_waits_for_a_slot_sees_that_a_hold_began() -> None:
    """The gate may close between the passage and the request."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        way = crowd.gate.way(ROUTE)

        passage = crowd.gate.passage(way, Effort())
        await passage.wait()
        was_open = passage.is_open
        await crowd.hold(UNAUTHORIZED)

        assert (was_open, passage.is_open) == (True, False)
        assert not way.is_free


async def test_a_probe_is_stopped_by_what_else_stops_its_way() -> None:
    """The right to probe one hold is no right to pass another that began meanwhile."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        crowd.come("under way")
        await crowd.hold(FORBIDDEN, "b")
        crowd.tasks["first"].cancel()
        await crowd.clock.advance(1)
        assert crowd.inside == ["under way", "b"]
        crowd.tasks["b"].cancel()
        await crowd.clock.advance(1)

        probe = crowd.gate.passage(crowd.gate.way(ROUTE), Effort())
        await probe.wait()
        was_open = probe.is_open
        crowd.answer("under way", NOT_TUNER)
        await crowd.clock.advance(0)

        assert (was_open, probe.is_open) == (True, False)


def cancel(task: asyncio.Task[None]) -> None:
    """Cancel, and tell nothing."""
    task.cancel()


async def test_what_is_held_is_told_with_what_to_do_and_how_many_wait() -> None:
    """And, when a probe meets another fault, with that one."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        yard.start(crowd.notices.run())
        await crowd.hold(UNAUTHORIZED, "a", "b")
        crowd.tasks["b"].cancel()
        await crowd.probe(Hold(Scope.CREDENTIAL, "status_419"))
        await crowd.clock.advance(INTERVAL)

        (begun,) = crowd.observer.notices
        ((reminder,),) = crowd.observer.reminders
        assert begun.matter == Matter(Kind.FAULT, "credential default")
        assert (begun.cause, begun.remedy) == ("unauthorized", remedy("unauthorized"))
        assert (reminder.cause, reminder.waiting) == ("status_419", 1), "one probes"
