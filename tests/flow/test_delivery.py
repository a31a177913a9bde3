"""One call is posted until Tuner has decided about it: a slot for each request, none for a wait."""

from itertools import pairwise

import pytest
from fake_clock import EPOCH, LoadedDice, quiescence
from fakes import CREATED, FakeTuner
from flow.road import (
    BROKEN,
    CONFLICT,
    REFUSAL,
    ROUTE,
    TIMEOUT,
    UNREACHABLE,
    Measures,
    Road,
    body,
    busy_for,
    call,
    open_road,
    records,
)

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.outcome import Dead, Delivered, Duplicate, Reason, Tries
from ingestor.core.problem import Problem

ONE_SLOT = Measures(slots=1)
Ending = Delivered | Duplicate | Dead | None


async def deliver(road: Road, call_id: str = "a") -> Ending:
    """Deliver a call, and let all the time pass that it takes."""
    delivery = road.start(road.deliver(call(call_id), ROUTE))
    await road.clock.advance_until(delivery.done)
    return delivery.result()


async def test_an_accepted_call_is_delivered_at_once() -> None:
    """The good day: one request, no wait."""
    async with open_road() as road:
        outcome = await deliver(road)

        assert outcome == Delivered(Tries(1, EPOCH + 1_000, EPOCH + 1_000))
        assert road.clock.naps == []


async def test_a_request_that_the_wire_repeated_counts_as_two() -> None:
    """The call that Tuner had since the first is delivered, no duplicate."""
    repeated = Answered(409, b"", is_repeat=True)
    async with open_road(FakeTuner({"a": [repeated]})) as road:
        outcome = await deliver(road)

        assert outcome == Delivered(Tries(2, EPOCH + 1_000, EPOCH + 1_000))
        assert road.observer.attempts == [(repeated, 0.0)]


async def test_a_call_that_tuner_had_is_a_duplicate() -> None:
    """Another record, or an earlier life of ours, posted it."""
    async with open_road(FakeTuner({"a": [Answered(200, b'{"is_new": false}')]})) as road:
        assert isinstance(await deliver(road), Duplicate)


async def test_a_refused_call_is_dead_at_once() -> None:
    """What Tuner calls invalid today will be invalid tomorrow."""
    async with open_road(FakeTuner({"a": [REFUSAL]})) as road:
        outcome = await deliver(road)

        error = Problem("call_type", "missing")
        tries = Tries(1, EPOCH + 1_000, EPOCH + 1_000)
        message = "Tuner answered 422: call_type: missing"
        assert outcome == Dead(Reason.REFUSED, message, (error,), 422, tries, "a")
        assert road.clock.naps == []


async def test_every_attempt_sends_the_same_bytes_the_same_way() -> None:
    """Idempotency hangs on it; the tries tell of the first and of the last."""
    async with open_road(FakeTuner({"a": [BROKEN, TIMEOUT, CREATED]})) as road:
        outcome = await deliver(road)

        assert {posted.body for posted in road.tuner.received} == {body("a")}
        assert {posted.route for posted in road.tuner.received} == {ROUTE}
        began, waited = EPOCH + 1_000, sum(road.clock.naps)
        assert outcome == Delivered(Tries(3, began, began + waited))


async def test_waits_are_drawn_evenly_from_zero_to_a_ceiling_that_doubles() -> None:
    """Full jitter: retries of many calls spread best."""
    rolls = (0.0, 0.25, 0.5, 0.75, 1.0, 0.125)
    tuner = FakeTuner({"a": [BROKEN] * 6})
    async with open_road(tuner, dice=LoadedDice(*rolls)) as road:
        await deliver(road)

        ceilings = (1, 2, 4, 8, 8, 8)
        assert road.clock.naps == [r * c for r, c in zip(rolls, ceilings, strict=True)]
        assert road.dice.rolled == 6


async def test_a_slot_is_held_for_a_request_and_never_for_a_wait() -> None:
    """An unlucky call that backs off takes nothing from the others."""
    async with open_road(FakeTuner({"a": [BROKEN]}), ONE_SLOT) as road:
        unlucky = road.start(road.deliver(call("a"), ROUTE))
        await quiescence()
        assert len(road.clock.naps) == 1
        assert road.slots.in_use == 0

        assert isinstance(await road.deliver(call("b"), ROUTE), Delivered)
        await road.clock.advance_until(unlucky.done)

        assert road.tuner.call_ids == ["a", "b", "a"]


@pytest.mark.parametrize("stop", [Answered(401), busy_for(30)], ids=["hold", "rest"])
async def test_those_who_wait_at_the_gate_hold_no_slot(stop: Answer) -> None:
    """A held destination must not starve the others."""
    async with open_road(FakeTuner({"a": [stop]}), ONE_SLOT) as road:
        for name in "abc":
            road.start(road.deliver(call(name), ROUTE))
            await quiescence()

        assert road.tuner.call_ids == ["a"]
        assert road.slots.in_use == 0


@pytest.mark.parametrize("stop", [Answered(401), busy_for(30)], ids=["hold", "rest"])
async def test_those_who_were_in_line_when_the_gate_closed_hold_no_slot(stop: Answer) -> None:
    """Their slots come after the hold, and each gives its own back before it waits."""
    async with open_road(FakeTuner({"a": [stop]}), ONE_SLOT) as road:
        road.begin()
        road.admit(*records("a", "b", "c"))
        await quiescence()

        assert road.tuner.call_ids == ["a"]
        assert road.slots.in_use == 0


async def test_requests_are_bounded_by_the_slots() -> None:
    """Tuner is treated politely: never more at once, and never fewer while there is work."""
    async with open_road(measures=Measures(slots=5)) as road:
        for number in range(40):
            road.start(road.deliver(call(str(number)), ROUTE))
        await quiescence()

        assert len(road.tuner.received) == 40
        assert road.tuner.most_under_way == 5
        assert road.slots.in_use == 0


async def test_one_whose_destination_is_held_while_it_waits_for_a_slot_is_not_posted() -> None:
    """It passed the gate before; the slot goes back unused."""
    async with open_road(FakeTuner({"a": [Answered(401)]}), ONE_SLOT) as road:
        for name in "abc":
            road.start(road.deliver(call(name), ROUTE))
        await road.clock.advance(0.99)

        assert road.tuner.call_ids == ["a"]
        assert road.slots.in_use == 0
        assert road.tuner.under_way.total() == 0


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        ([], Duplicate),
        ([TIMEOUT], Delivered),
        ([Unanswered(Fault.DISCONNECTED)], Delivered),
        ([Unanswered(Fault.CUT_OFF)], Delivered),
        ([Answered(502)], Delivered),
        ([UNREACHABLE], Duplicate),
        ([Answered(429)], Duplicate),
        ([TIMEOUT, UNREACHABLE, Answered(429)], Delivered),
    ],
)
async def test_a_conflict_is_ours_when_an_earlier_attempt_may_have_arrived(
    before: list[Answer], outcome: type[Delivered | Duplicate]
) -> None:
    """Tuner then has the call from us; else somebody else brought it."""
    async with open_road(FakeTuner({"a": [*before, CONFLICT]})) as road:
        ending = await deliver(road)

        assert type(ending) is outcome
        assert ending.tries.count == len(before) + 1


async def test_attempts_are_observed() -> None:
    """By status or by fault, and how long each took."""
    tuner = FakeTuner({"a": [BROKEN, TIMEOUT, CREATED]})
    tuner.hold()
    async with open_road(tuner, dice=LoadedDice(0.0)) as road:
        road.start(road.deliver(call("a"), ROUTE))
        await road.clock.advance(3)
        tuner.release()
        await road.clock.advance(0)

        assert road.observer.attempts == [(BROKEN, 3.0), (TIMEOUT, 0.0), (CREATED, 0.0)]


class BuggyTuner(FakeTuner):
    """A wire with a bug."""

    async def post(self, *_: object) -> Answer:
        """Fail as no wire should."""
        raise ZeroDivisionError


async def test_a_bug_in_the_wire_is_not_taken_for_an_answer() -> None:
    """Every foreseeable failure is an answer: what is raised ends the service, and no slot with
    it.
    """
    async with open_road(BuggyTuner()) as road:
        with pytest.raises(ZeroDivisionError):
            await road.deliver(call("a"), ROUTE)

        assert road.slots.in_use == 0


async def test_many_calls_together_take_no_longer_than_the_slowest() -> None:
    """Calls that wait overtake nobody and are overtaken by everybody."""
    names = [str(number) for number in range(50)]
    tuner = FakeTuner({name: [BROKEN, BROKEN, CREATED] for name in names[::5]})
    async with open_road(tuner, Measures(slots=3)) as road:
        tasks = [road.start(road.deliver(call(name), ROUTE)) for name in names]
        await quiescence()
        assert sum(task.done() for task in tasks) == 40

        await road.clock.advance(2)

        assert all(isinstance(task.result(), Delivered) for task in tasks)
        assert sorted(road.clock.naps) == [0.5] * 10 + [1.0] * 10
        assert all(a <= b for a, b in pairwise(road.clock.naps))


async def test_during_a_drain_no_attempt_begins() -> None:
    """There is no outcome then: the record comes again."""
    async with open_road() as road:
        road.tuner.hold()
        road.crew.start(on_the_wire(road))
        await quiescence()
        road.start(road.crew.drain(20))
        await quiescence()

        assert await road.deliver(call("b"), ROUTE) is None
        assert road.tuner.call_ids == ["a"]


@pytest.mark.parametrize("answer", [BROKEN, Answered(401), busy_for(30)])
async def test_an_attempt_that_a_drain_awaits_is_not_followed_by_another(answer: Answer) -> None:
    """Nor by a wait for one."""
    async with open_road(FakeTuner({"a": [answer]})) as road:
        road.tuner.hold()
        road.crew.start(on_the_wire(road))
        await quiescence()

        drain = road.start(road.crew.drain(20))
        await quiescence()
        road.tuner.release()
        await quiescence()

        assert drain.result() == 0
        assert road.tuner.call_ids == ["a"]
        assert road.clock.naps == []


async def on_the_wire(road: Road) -> None:
    """Deliver a call as one of the crew; a drain leaves it without an outcome."""
    assert await road.deliver(call("a"), ROUTE) is None
