"""One hand for each item that has a slot, and no more than there are slots: whoever is done goes on
with the next.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fake_clock import FakeClock, quiescence
from flow.road import DESTINATION, Yard

from ingestor.flow.crew import Crew
from ingestor.flow.hands import Hands
from ingestor.flow.slots import Slot, Slots


class Shop:
    """Items that want to be carried, with *most* slots; each is carried until it is let go."""

    def __init__(self, yard: Yard, most: int) -> None:
        clock = FakeClock()
        self.yard = yard
        self.slots = Slots(clock, most)
        self.crew = Crew(yard, clock)
        self.hands = Hands(self.crew, self._carry)
        self.carried: list[str] = []
        self.done: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    def come(self, *items: str) -> None:
        """Line *items* up."""
        for item in items:
            self._ends[item] = asyncio.Event()
            self.slots.line_up(DESTINATION, self.hands.give, item, is_retry=False)

    async def end(self, *items: str) -> None:
        """Let *items* go."""
        for item in items:
            self._ends[item].set()
        await quiescence()

    async def _carry(self, item: str, slot: Slot) -> None:
        self.carried.append(item)
        doer = self.crew.begin()
        try:
            await self._ends[item].wait()
        finally:
            self.crew.end(doer)
        slot.leave()
        if item == "failing":
            await asyncio.Event().wait()
        self.done.append(item)


@asynccontextmanager
async def open_shop(most: int) -> AsyncIterator[Shop]:
    """Open a shop."""
    async with Yard() as yard:
        shop = Shop(yard, most)
        try:
            yield shop
        finally:
            shop.crew.close()


async def test_each_item_with_a_slot_is_carried() -> None:
    """They do not wait for each other."""
    async with open_shop(2) as shop:
        shop.come("a", "b", "c")
        await quiescence()

        assert shop.carried == ["a", "b"]


async def test_who_is_done_goes_on_with_the_next() -> None:
    """Ten items and two slots: two tasks."""
    async with open_shop(2) as shop:
        shop.come(*"abcdefghij")
        for item in "abcdefghij":
            await quiescence()
            await shop.end(item)

        assert shop.done == list("abcdefghij")
        assert len(shop.yard.started) == 2
        assert shop.slots.in_use == 0


async def test_who_waits_without_its_slot_keeps_nobody_waiting() -> None:
    """A call that failed waits at a gate: another one has its slot, and a hand."""
    async with open_shop(1) as shop:
        shop.come("failing", "b", "c")
        await quiescence()

        await shop.end("failing")

        assert shop.carried == ["failing", "b"]
        assert shop.done == []


async def test_one_that_is_cancelled_keeps_nobody_waiting() -> None:
    """Its slot goes to the next, and a new hand carries that."""
    async with open_shop(1) as shop:
        shop.come("a", "b")
        await quiescence()

        shop.yard.started[0].cancel()
        await quiescence()

        assert shop.carried == ["a", "b"]
        assert shop.slots.in_use == 1


async def test_what_no_hand_has_taken_is_left_with_its_slot() -> None:
    """A drain may begin in the moment in which a slot was handed over."""
    async with open_shop(2) as shop:
        shop.come("a", "b", "c")

        shop.slots.clear()
        shop.hands.clear()
        await quiescence()

        assert shop.carried == []
        assert shop.slots.in_use == 0


async def test_in_a_drain_nothing_begins() -> None:
    """A slot that comes back then goes to nobody."""
    async with open_shop(1) as shop:
        shop.come("a", "b")
        await quiescence()

        drain = shop.yard.start(shop.crew.drain(20))
        await quiescence()
        await shop.end("a")

        assert drain.result() == 0
        assert shop.carried == ["a"]


async def test_once_the_crew_is_closed_nothing_begins() -> None:
    """The service ends: those who are cancelled give their slots back."""
    async with open_shop(1) as shop:
        shop.come("a", "b")
        await quiescence()

        shop.crew.close()
        shop.yard.started[0].cancel()
        await quiescence()

        assert shop.carried == ["a"]
