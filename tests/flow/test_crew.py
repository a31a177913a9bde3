"""Coming to rest: tasks that wait are left, tasks that act are awaited, an overrun is cut off."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from fake_clock import FakeClock, quiescence
from flow.road import Yard

from ingestor.flow.crew import Crew, end


class Hands:
    """Work of both kinds for a crew, and what became of it."""

    def __init__(self, crew: Crew) -> None:
        self.done: list[str] = []
        self.go_on = asyncio.Event()
        self._crew = crew

    async def wait(self, name: str) -> None:
        """Wait, not busy."""
        await self.go_on.wait()
        self.done.append(name)

    async def act(self, name: str) -> None:
        """Be busy, for as long as it takes."""
        doer = self._crew.begin()
        try:
            await self.go_on.wait()
            self.done.append(name)
        finally:
            self._crew.end(doer)

    async def act_and_tidy_up(self, name: str) -> None:
        """Be busy, and take some steps to end when cut off, as a connection does."""
        try:
            await self.act(name)
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            self.done.append(f"{name} tidied up")

    async def drain(self, seconds: float) -> None:
        """Drain, and say when it is over."""
        await self._crew.drain(seconds)
        self.done.append("drained")

    async def act_and_wait(self, name: str) -> None:
        """Be busy, then see whether there is a drain."""
        await self.act(name)
        self.done.append(f"{name} {'rests' if self._crew.is_draining else 'goes on'}")


@dataclass(frozen=True, slots=True)
class Site:
    """A crew with its *hands*, and what is around it."""

    yard: Yard
    clock: FakeClock
    crew: Crew
    hands: Hands

    async def begin(self, *work: Coroutine[None, None, None]) -> None:
        """Have the crew begin *work*, and let it come to its wait."""
        for each in work:
            self.crew.start(each)
        await quiescence()

    def drain(self) -> asyncio.Task[int]:
        """Begin a drain of 20 seconds."""
        return self.yard.start(self.crew.drain(20))

    async def go_on(self) -> None:
        """Let the hands go on."""
        self.hands.go_on.set()
        await quiescence()


@asynccontextmanager
async def at_work() -> AsyncIterator[Site]:
    """Open a site."""
    async with Yard() as yard:
        clock = FakeClock()
        crew = Crew(yard, clock)
        yield Site(yard, clock, crew, Hands(crew))


async def test_a_drain_without_tasks_is_over_at_once() -> None:
    """The first rebalance takes nothing away."""
    async with at_work() as it:
        assert await it.crew.drain(20) == 0
        assert not it.crew.is_draining


async def test_a_drain_leaves_those_who_wait() -> None:
    """Their records come again; nobody counts them as cut off."""
    async with at_work() as it:
        await it.begin(it.hands.wait("a"))

        assert await it.crew.drain(20) == 0
        assert it.hands.done == []


async def test_a_drain_leaves_what_has_not_begun() -> None:
    """A task that was made a moment ago has no attempt on the wire."""
    async with at_work() as it:
        it.crew.start(it.hands.act("a"))

        assert await it.crew.drain(20) == 0
        assert it.hands.done == []


async def test_a_drain_awaits_those_who_act() -> None:
    """And they can see that they shall begin nothing new."""
    async with at_work() as it:
        await it.begin(it.hands.act_and_wait("a"))

        drain = it.drain()
        await it.clock.advance(19)
        assert not drain.done()
        await it.go_on()

        assert drain.result() == 0
        assert it.hands.done == ["a", "a rests"]


async def test_what_overruns_is_cut_off_and_counted() -> None:
    """The group waits no longer: another member must get the partitions."""
    async with at_work() as it:
        await it.begin(*map(it.hands.act, "abc"))

        drain = it.drain()
        await it.clock.advance(20)

        assert drain.result() == 3
        assert it.hands.done == []


async def test_what_is_cut_off_has_ended_when_the_drain_is_over() -> None:
    """Nothing of an assignment may act when the next one begins."""
    async with at_work() as it:
        await it.begin(it.hands.act_and_tidy_up("a"))

        it.yard.start(it.hands.drain(20))
        await it.clock.advance(20)

        assert it.hands.done == ["a tidied up", "drained"]


async def test_the_deadline_of_a_drain_that_is_over_means_nothing_to_the_next() -> None:
    """What is on the wire then has its own time."""
    async with at_work() as it:
        it.crew.start(it.hands.wait("a"))
        await it.crew.drain(20)
        it.crew.start(it.hands.act("b"))
        await it.clock.advance(30)

        drain = it.drain()
        await it.clock.advance(19)
        assert not drain.done()
        await it.go_on()

        assert drain.result() == 0
        assert it.hands.done == ["b"]


async def test_after_a_drain_the_crew_works_as_before() -> None:
    """The next assignment follows at once."""
    async with at_work() as it:
        it.crew.start(it.hands.wait("a"))
        await it.crew.drain(20)

        it.crew.start(it.hands.act_and_wait("b"))
        await it.clock.advance(60)
        await it.go_on()

        assert it.hands.done == ["b", "b goes on"]


async def test_two_drains_at_a_time_end_together() -> None:
    """A signal may come in the middle of a rebalance."""
    async with at_work() as it:
        await it.begin(it.hands.act_and_wait("a"))

        first = it.drain()
        await it.clock.advance(5)
        second = it.drain()
        await it.clock.advance(5)
        await it.go_on()

        assert (first.result(), second.result()) == (0, 0)
        assert it.hands.done == ["a", "a rests"]
        assert not it.crew.is_draining


async def test_an_error_ends_the_group() -> None:
    """A bug crashes the service."""

    async def fail() -> None:
        raise ZeroDivisionError

    async def serve() -> None:
        async with Yard() as yard:
            Crew(yard, FakeClock()).start(fail())
            await quiescence()

    with pytest.raises(ExceptionGroup) as caught:
        await serve()

    assert caught.group_contains(ZeroDivisionError)


async def test_a_cancelled_drain_is_over() -> None:
    """Else every record that comes later would be left, for ever."""
    async with at_work() as it:
        await it.begin(it.hands.act("a"))

        drain = it.drain()
        await quiescence()
        drain.cancel()
        await quiescence()

        assert drain.cancelled()
        assert not it.crew.is_draining


async def test_a_cancelled_drain_leaves_nobody_at_work() -> None:
    """Nobody waits for them any more, and what they would do next is not theirs to do."""
    async with at_work() as it:
        await it.begin(it.hands.act_and_wait("a"))

        drain = it.drain()
        await quiescence()
        drain.cancel()
        await quiescence()
        await it.go_on()

        assert it.hands.done == []
        assert await it.crew.drain(20) == 0


async def test_a_cancelled_drain_does_not_end_another() -> None:
    """A signal cancels whoever was taking, and drains by itself."""
    async with at_work() as it:
        await it.begin(it.hands.act_and_wait("a"))

        first = it.drain()
        second = it.drain()
        await quiescence()
        first.cancel()
        await quiescence()
        assert it.crew.is_draining
        await it.go_on()

        assert second.result() == 0
        assert it.hands.done == ["a", "a rests"]
        assert not it.crew.is_draining


async def deaf(ends: asyncio.Event) -> None:
    """Swallow a cancellation, as `asyncio.wait_for` does when its wait is just over."""
    try:
        await ends.wait()
    except asyncio.CancelledError:
        await ends.wait()


async def test_a_cancellation_that_is_swallowed_is_repeated() -> None:
    """Else a service that is asked to stop in that moment would go on for ever."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(deaf(asyncio.Event()))
        await asyncio.sleep(0)
        task.cancel()
        await end([task], 0.01)
    assert task.cancelled()


async def test_a_drain_repeats_it_too() -> None:
    """What is cut off has ended when it is over, whatever it did with its cancellation."""
    clock = FakeClock()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        crew = Crew(tasks, clock)
        crew.start(deaf(asyncio.Event()))
        await quiescence()
        drain = tasks.create_task(crew.drain(1))
        await clock.advance(1)
        assert await drain == 1
