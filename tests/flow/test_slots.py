"""Slots bound how many requests run at once; the bound can be moved while they do."""

import asyncio

import pytest
from fake_clock import quiescence
from flow.road import Yard
from hypothesis import given
from hypothesis import strategies as st

from ingestor.flow.slots import Slots


class Guests:
    """Those who take slots: each keeps its own until told to leave."""

    def __init__(self, slots: Slots, yard: Yard) -> None:
        self.inside: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._slots = slots
        self._yard = yard
        self._leave: dict[int, asyncio.Event] = {}

    @property
    def waiting(self) -> list[int]:
        """Those who still have none."""
        return [it for it, task in self.tasks.items() if it not in self.inside and not task.done()]

    def come(self, *guests: int) -> None:
        """Have *guests* ask for a slot."""
        for guest in guests:
            self._leave[guest] = asyncio.Event()
            self.tasks[guest] = self._yard.start(self._stay(guest))

    def leave(self, guest: int) -> None:
        """Have *guest* give its slot back."""
        self._leave[guest].set()

    async def _stay(self, guest: int) -> None:
        async with self._slots:
            self.inside.append(guest)
            try:
                await self._leave[guest].wait()
            finally:
                self.inside.remove(guest)


async def test_no_more_than_the_limit_are_inside() -> None:
    """Tuner sees so many requests at once and no more."""
    async with Yard() as yard:
        slots = Slots(2)
        guests = Guests(slots, yard)

        guests.come(1, 2, 3)
        await quiescence()

        assert guests.inside == [1, 2]
        assert slots.in_use == 2


async def test_who_waits_longest_goes_first() -> None:
    """Nobody is overtaken for ever, not even by one who comes when a slot is just free."""
    async with Yard() as yard:
        guests = Guests(Slots(1), yard)
        guests.come(1, 2, 3)
        await quiescence()

        guests.leave(1)
        guests.come(4)
        await quiescence()
        assert guests.inside == [2]
        guests.leave(2)
        await quiescence()

        assert guests.inside == [3]


async def test_a_slot_comes_back_when_its_use_fails() -> None:
    """An error must not make the service slower for ever."""
    slots = Slots(1)

    with pytest.raises(ZeroDivisionError):
        async with slots:
            1 / 0  # noqa: B018 - any error

    assert slots.in_use == 0


async def test_one_who_gave_up_waiting_is_passed_over() -> None:
    """A drain cancels those who wait; the others go on."""
    async with Yard() as yard:
        slots = Slots(1)
        guests = Guests(slots, yard)
        guests.come(1, 2, 3)
        await quiescence()

        guests.tasks[2].cancel()
        await quiescence()
        guests.leave(1)
        await quiescence()

        assert guests.inside == [3]
        assert slots.in_use == 1


async def test_one_who_gives_up_as_the_slot_is_handed_over_hands_it_on() -> None:
    """Between the hand-over and its first step a task may be cancelled: the slot is not lost."""
    async with Yard() as yard:
        slots = Slots(1)
        guests = Guests(slots, yard)
        guests.come(1, 2, 3)
        await quiescence()

        guests.leave(1)
        while guests.inside:  # noqa: ASYNC110 - turn by turn: the very turn matters
            await asyncio.sleep(0)
        guests.tasks[2].cancel()
        await quiescence()

        assert guests.tasks[2].cancelled()
        assert guests.inside == [3]
        assert slots.in_use == 1


async def test_a_raised_limit_lets_those_in_who_wait() -> None:
    """Who waits need not wait for somebody to leave."""
    async with Yard() as yard:
        slots = Slots(1)
        guests = Guests(slots, yard)
        guests.come(1, 2, 3, 4)
        await quiescence()

        slots.resize(3)
        await quiescence()

        assert guests.inside == [1, 2, 3]


async def test_a_lowered_limit_takes_nothing_away() -> None:
    """Requests on the wire end; only then fewer begin."""
    async with Yard() as yard:
        slots = Slots(3)
        guests = Guests(slots, yard)
        guests.come(1, 2, 3, 4)
        await quiescence()

        slots.resize(1)
        await quiescence()
        assert guests.inside == [1, 2, 3]
        guests.leave(1)
        guests.leave(2)
        await quiescence()
        assert guests.inside == [3]
        guests.leave(3)
        await quiescence()

        assert guests.inside == [4]


STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "leave", "cancel", "resize", "turn"]), st.integers(0, 4)),
    max_size=40,
)


@given(STEPS)
async def test_nobody_waits_while_a_slot_is_free(steps: list[tuple[str, int]]) -> None:
    """Whatever comes, leaves, gives up and moves the limit, at whatever turn of the loop."""
    async with Yard() as yard:
        slots = Slots(1)
        guests = Guests(slots, yard)
        for number, (step, argument) in enumerate(steps):
            match step:
                case "come":
                    guests.come(number)
                case "leave" if guests.inside:
                    guests.leave(guests.inside[argument % len(guests.inside)])
                case "cancel" if guests.tasks:
                    list(guests.tasks.values())[argument % len(guests.tasks)].cancel()
                case "resize":
                    slots.resize(argument)
                case _:
                    await asyncio.sleep(0)
            assert slots.in_use >= len(guests.inside)
        await quiescence()
        assert slots.in_use == len(guests.inside)
        assert not guests.waiting or slots.in_use >= slots.limit
