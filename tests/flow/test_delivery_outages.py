"""What an outage costs, and what it does not: no call's attempts, no burst, no letter."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from fake_clock import LoadedDice
from fakes import CREATED, FakeTuner, Posted
from flow.road import (
    BROKEN,
    FORBIDDEN,
    NOT_TUNER,
    ROUTE,
    TIMEOUT,
    UNAUTHORIZED,
    UNREACHABLE,
    Measures,
    Road,
    busy_for,
    call,
    open_road,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.core.answer import Answer
from ingestor.core.backoff import Backoff
from ingestor.core.holds import key
from ingestor.core.outcome import Dead, Delivered, Outcome
from ingestor.core.verdict import Scope

# As the service has it unless told otherwise.
USUAL = Measures(slots=64, attempts=8, backoff=Backoff(0.5, 60.0))
SERVER = key(Scope.SERVER, ROUTE)
HOUR = 3_600.0


class Shop:
    """Calls that are delivered; *posts* are the points of time of all attempts."""

    def __init__(self, road: Road, answer: Callable[[Posted], Answer]) -> None:
        self.road = road
        self.posts: list[float] = []
        self._answer = answer
        road.tuner.answer = self._reply
        self.tasks: dict[str, asyncio.Task[Outcome | None]] = {}

    def _reply(self, posted: Posted) -> Answer:
        self.posts.append(self.road.clock.now())
        return self._answer(posted)

    def deliver(self, names: Iterable[str]) -> None:
        """Begin to deliver the calls called *names*."""
        for name in names:
            work = self.road.deliver(call(name), ROUTE)
            self.tasks[name] = self.road.start(work)

    @property
    def outcomes(self) -> Counter[str]:
        """Count how the calls ended so far."""
        ended = (task.result() for task in self.tasks.values() if task.done())
        return Counter(type(outcome).__name__ for outcome in ended)

    async def until_delivered(self, most: float) -> None:
        """Let time pass until every call is."""
        await self.road.clock.advance_until(lambda: self.outcomes.total() == len(self.tasks), most)
        assert self.outcomes == {"Delivered": len(self.tasks)}


def names(count: int, prefix: str = "call") -> list[str]:
    """Name calls."""
    return [f"{prefix} {number}" for number in range(count)]


async def test_an_hour_without_tuner_costs_a_handful_of_connections_a_minute() -> None:
    """However many calls wait; none is counted against any, and no task sleeps meanwhile."""
    async with open_road(measures=USUAL) as road:
        is_up = False
        shop = Shop(road, lambda _: CREATED if is_up else UNREACHABLE)
        shop.deliver(names(500))
        await road.clock.advance(HOUR)

        later = [at for at in shop.posts if at > 1_000.0]
        most = max(sum(begin <= at < begin + 60 for at in later) for begin in later)
        assert len(shop.posts) - len(later) <= 64, "those that were under way when it went down"
        assert most <= 6
        assert len(later) <= 3 * 60
        assert shop.outcomes == {}
        assert road.observer.holds == [(str(SERVER), "connect")]

        is_up = True
        await shop.until_delivered(most=31)
        assert road.observer.lifts == [str(SERVER)]


async def test_calls_come_back_in_steps_whatever_the_slots_allow() -> None:
    """One, two, four at a time: what is under way is bounded by what has proved itself."""
    async with open_road(measures=USUAL) as road:
        is_up = False
        shop = Shop(road, lambda _: CREATED if is_up else TIMEOUT)
        shop.deliver(names(200))
        await road.clock.advance(60)
        is_up = True
        road.tuner.hold()
        await road.clock.advance_until(lambda: road.tuner.under_way.total() > 0)

        steps = []
        for _ in range(4):
            steps.append(road.tuner.under_way.total())
            road.tuner.release()
            road.tuner.hold()
            await road.clock.advance(0)

        assert steps == [1, 2, 4, 8]


async def test_a_call_that_probed_in_vain_is_not_late_for_it() -> None:
    """Its own pauses do not matter while the gate says when the server may be tried."""
    async with open_road(measures=USUAL, dice=LoadedDice(0.99)) as road:
        is_up = False
        shop = Shop(road, lambda _: CREATED if is_up else UNREACHABLE)
        shop.deliver(names(10))
        await road.clock.advance(HOUR)
        is_up = True

        await shop.until_delivered(most=31)

        assert max(road.clock.naps) < 1, "before it was known that the server is down"


async def test_no_attempt_is_counted_while_the_server_is_tried() -> None:
    """One that passes and one that fails, again and again: a server that comes and goes."""
    async with open_road(measures=Measures(slots=64, attempts=1)) as road:
        answers = iter([UNREACHABLE] * 10 + [CREATED, BROKEN, CREATED, BROKEN, CREATED] * 2)
        shop = Shop(road, lambda _: next(answers, CREATED))
        shop.deliver(names(10))

        await shop.until_delivered(most=HOUR)


def only(name: str, answer: Answer) -> Callable[[Posted], Answer]:
    """Give *answer* to calls whose id begins with *name*, and accept all others."""
    return lambda posted: answer if posted.call_id.startswith(name) else CREATED


@pytest.mark.parametrize("count", [1, 2, 9])
async def test_calls_that_fail_for_ever_are_no_outage_and_become_letters(count: int) -> None:
    """While others pass: each after its own attempts, and nobody waits for them."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, only("bad", TIMEOUT))
        shop.deliver(["good before", *names(count, "bad")])
        for number in range(300):
            shop.deliver([f"good {number}"])
            await road.clock.advance(1)
            assert shop.tasks[f"good {number}"].done()

        assert shop.outcomes == {"Delivered": 301, "Dead": count}
        assert road.observer.holds == []
        tries = Counter(road.tuner.call_ids)
        assert all(8 <= tries[bad] <= 20 for bad in names(count, "bad"))


async def test_many_new_calls_that_fail_are_an_outage_until_another_passes() -> None:
    """Nobody can tell them from one; then they die after their own attempts all the same."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, only("bad", TIMEOUT))
        shop.deliver(names(12, "bad"))
        longest = 0.0
        for number in range(600):
            good = f"good {number}"
            shop.deliver([good])
            began = road.clock.now()
            await road.clock.advance_until(shop.tasks[good].done)
            longest = max(longest, road.clock.now() - began)
            await road.clock.advance(1)

        assert longest <= 5, "new calls probe first"
        assert shop.outcomes == {"Delivered": 600, "Dead": 12}
        assert len(road.observer.holds) == len(road.observer.lifts) == 1


async def test_calls_that_fail_alone_are_tried_for_ever_and_hold_nobody_up() -> None:
    """Nothing is there to compare them with; who comes later is posted at once."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, only("bad", TIMEOUT))
        shop.deliver(names(2, "bad"))
        await road.clock.advance(HOUR)
        assert shop.outcomes == {}
        assert road.observer.holds == []
        assert len(shop.posts) < 2 * 2 * 60 + 20

        shop.deliver(["good"])
        await road.clock.advance(0)

        assert shop.outcomes == {"Delivered": 1}


def unlucky(share: float, seed: int, answer: Answer = BROKEN) -> Callable[[Posted], Answer]:
    """Give *answer* to this share of the requests."""
    dice = random.Random(seed)
    return lambda _: answer if dice.random() < share else CREATED


async def test_a_server_that_fails_now_and_then_costs_retries_and_nothing_else() -> None:
    """A fifth of all requests: no outage, no letter."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, unlucky(0.2, seed=1))
        for number in range(1_000):
            shop.deliver([f"call {number}"])
            await road.clock.advance(0.02)

        await shop.until_delivered(most=120)

        assert road.observer.holds == []
        assert len(shop.posts) < 1_000 * 1.4


async def test_a_server_that_fails_most_requests_kills_no_call() -> None:
    """It is sick, whatever it is: calls get through slowly, and none is to blame."""
    for rate in (0.05, 5.0):
        async with open_road(measures=USUAL) as road:
            shop = Shop(road, unlucky(0.6, seed=2))
            for number in range(300):
                shop.deliver([f"call {number}"])
                await road.clock.advance(rate)

            await shop.until_delivered(most=2 * HOUR)


async def test_a_limit_that_lets_a_few_pass_kills_no_call() -> None:
    """Two of three are asked for patience, all the time: that is no fault of theirs."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, unlucky(0.66, seed=3, answer=busy_for(1)))
        shop.deliver(names(60))

        await shop.until_delivered(most=HOUR)


async def test_a_key_that_half_of_a_cluster_knows_kills_no_call() -> None:
    """As after a rotation: neither does it hold everybody for long."""
    async with open_road(measures=USUAL) as road:
        shop = Shop(road, unlucky(0.5, seed=4, answer=UNAUTHORIZED))
        shop.deliver(names(300))

        await shop.until_delivered(most=HOUR)


async def test_the_key_is_read_again_before_each_probe() -> None:
    """Of a hold that a new key may end; and used by all from then on."""
    async with open_road(FakeTuner({"a": [UNAUTHORIZED, UNAUTHORIZED, FORBIDDEN]})) as road:
        delivery = road.start(road.deliver(call("a"), ROUTE))
        await road.clock.advance(0)
        assert road.keys.refreshed == []

        await road.clock.advance_until(delivery.done)

        assert isinstance(delivery.result(), Delivered)
        assert road.keys.refreshed == ["default"] * 3


async def test_no_key_is_read_for_a_hold_that_it_cannot_end() -> None:
    """Neither a wrong address nor an outage is mended by it."""
    answers = [NOT_TUNER, *[BROKEN] * 12]
    async with open_road(FakeTuner({"a": answers})) as road:
        delivery = road.start(road.deliver(call("a"), ROUTE))

        await road.clock.advance_until(delivery.done)

        assert road.keys.refreshed == []


async def test_a_key_that_takes_long_to_read_holds_no_slot() -> None:
    """And a drain need not wait for it."""
    tuner = FakeTuner({"a": [UNAUTHORIZED]})
    async with open_road(tuner, Measures(slots=1)) as road:
        road.keys.hold()
        road.crew.start(on_the_wire(road))
        await road.clock.advance(10)
        assert road.keys.refreshed == ["default"]
        assert road.slots.in_use == 0

        assert await road.crew.drain(20) == 0
        assert tuner.call_ids == ["a"]


async def on_the_wire(road: Road) -> None:
    """Deliver a call as one of the crew; a drain leaves it without an outcome."""
    assert await road.deliver(call("a"), ROUTE) is None


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([CREATED, BROKEN, TIMEOUT, busy_for(3), UNAUTHORIZED]), max_size=80)
)
async def test_everything_is_delivered_once_tuner_works(answers: list[Answer]) -> None:
    """Whatever it answered before, and in whatever order."""
    async with open_road(measures=Measures(slots=8, attempts=100)) as road:
        rest = iter(answers)
        shop = Shop(road, lambda _: next(rest, CREATED))
        shop.deliver(names(20))

        await shop.until_delivered(most=HOUR)

        assert len(road.observer.holds) == len(road.observer.lifts)
        assert road.slots.in_use == 0
        assert not any(isinstance(task.result(), Dead) for task in shop.tasks.values())
