"""Slots bound how many requests run at once; whoever waits for one gets it in turn."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from fake_clock import FakeClock, quiescence
from flow.road import DESTINATION, Measures, Yard, open_road, record
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.core.answer import Answered
from ingestor.core.limiter import START
from ingestor.core.route import Destination
from ingestor.core.shares import KEPT_PART
from ingestor.flow.slots import Slot, Slots

OTHER = Destination("https://other.test", "default")
CREATED, BUSY = Answered(201), Answered(429)


class Guests:
    """Those who take slots: each keeps its own until told to leave."""

    def __init__(
        self, yard: Yard, most: int, *, rate: float | None = None, clock: FakeClock | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.slots = Slots(self.clock, most, rate)
        self.inside: list[int] = []
        self.retrying: set[int] = set()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.begun: dict[int, float] = {}
        self.lined_up = 0
        self._yard = yard
        self._leave: dict[int, asyncio.Event] = {}

    @property
    def waiting(self) -> list[int]:
        """Those who still have none."""
        return [it for it, task in self.tasks.items() if it not in self.inside and not task.done()]

    def line_up(self, *guests: int, to: Destination = DESTINATION, again: bool = False) -> None:
        """Have *guests* in line who come when there is a slot."""
        for guest in guests:
            self.lined_up += 1
            self._leave[guest] = asyncio.Event()
            self.slots.line_up(to, self._begin, (guest, again), is_retry=again)

    def come(self, *guests: int, to: Destination = DESTINATION, again: bool = False) -> None:
        """Have *guests* ask for a slot."""
        for guest in guests:
            self._leave[guest] = asyncio.Event()
            self.tasks[guest] = self._yard.start(
                self._stay(guest, self.slots.slot(to), again=again)
            )

    def leave(self, guest: int) -> None:
        """Have *guest* give its slot back."""
        self._leave[guest].set()

    def _begin(self, lined_up: tuple[int, bool], slot: Slot) -> None:
        guest, again = lined_up
        self.lined_up -= 1
        if self._yard.is_ending:
            return
        self.tasks[guest] = self._yard.start(self._stay(guest, slot, again=again))
        # It may be cancelled before its first step.
        self.tasks[guest].add_done_callback(lambda _: slot.leave())

    async def _stay(self, guest: int, slot: Slot, *, again: bool = False) -> None:
        with slot:
            await slot.take(is_retry=again)
            slot.begin()
            self.begun[guest] = self.clock.now()
            self.inside.append(guest)
            self.retrying |= {guest} if again else set()
            try:
                await self._leave[guest].wait()
            finally:
                self.inside.remove(guest)
                self.retrying.discard(guest)


async def test_no_more_than_the_limit_are_inside() -> None:
    """Tuner sees so many requests at once and no more."""
    async with Yard() as yard:
        guests = Guests(yard, 2)

        guests.come(1, 2, 3)
        await quiescence()

        assert guests.inside == [1, 2]
        assert guests.slots.in_use == 2


async def test_who_waits_longest_goes_first() -> None:
    """Nobody is overtaken for ever, not even by one who comes when a slot is just free."""
    async with Yard() as yard:
        guests = Guests(yard, 1)
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
    slots = Slots(FakeClock(), 1)
    slot = slots.slot(DESTINATION)
    await slot.take(is_retry=False)

    with pytest.raises(ZeroDivisionError), slot:
        1 / 0  # noqa: B018 - any error

    assert slots.in_use == 0


async def test_one_who_gave_up_waiting_is_passed_over() -> None:
    """A drain cancels those who wait; the others go on."""
    async with Yard() as yard:
        guests = Guests(yard, 1)
        guests.come(1, 2, 3)
        await quiescence()

        guests.tasks[2].cancel()
        await quiescence()
        guests.leave(1)
        await quiescence()

        assert guests.inside == [3]
        assert guests.slots.in_use == 1


async def test_one_who_gives_up_as_the_slot_is_handed_over_hands_it_on() -> None:
    """Between the hand-over and its first step a task may be cancelled: the slot is not lost."""
    async with Yard() as yard:
        guests = Guests(yard, 1)
        guests.come(1, 2, 3)
        await quiescence()

        guests.leave(1)
        while guests.inside:  # noqa: ASYNC110 - turn by turn: the very turn matters
            await asyncio.sleep(0)
        guests.tasks[2].cancel()
        await quiescence()

        assert guests.tasks[2].cancelled()
        assert guests.inside == [3]
        assert guests.slots.in_use == 1


async def test_answers_move_the_limit_and_let_those_in_who_wait() -> None:
    """A server that keeps its pace gets more, one that pushes back gets less."""
    clock = FakeClock()
    slots = Slots(clock, 64)
    seen: list[int] = []

    async def post(answer: Answered) -> None:
        with slots.slot(DESTINATION) as slot:
            await slot.take(is_retry=False)
            seen.append(slots.in_use)
            slot.begin()
            await clock.sleep(0.1)
            slot.note(answer, seconds=0.1, now=clock.now())

    async def post_all(answer: Answered) -> None:
        seen.clear()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(200):
                tasks.create_task(post(answer))
            await clock.advance(10.0)

    assert slots.limit == START
    await post_all(CREATED)
    assert slots.limit == max(seen) == 64
    await post_all(BUSY)

    assert slots.limit < 30
    assert seen[-1] < 40


async def test_a_slow_destination_leaves_a_part_to_the_others() -> None:
    """One that gives nothing back has most of the slots, and yet the other one goes on."""
    async with Yard() as yard:
        guests = Guests(yard, 12)
        guests.come(0, to=OTHER)
        await quiescence()
        guests.leave(0)

        guests.come(*range(100, 120))
        await quiescence()
        guests.come(1, 2, 3, to=OTHER)
        await quiescence()

        kept = 6 // KEPT_PART
        assert [guest for guest in guests.inside if guest < 100] == [*range(1, 1 + kept)]
        guests.leave(100)
        guests.leave(101)
        await quiescence()
        assert [guest for guest in guests.inside if guest < 100] == [1, 2, 3]


@pytest.mark.parametrize("arrive", [Guests.come, Guests.line_up])
@pytest.mark.parametrize("arrive_again", [Guests.come, Guests.line_up])
async def test_retries_take_turns_with_first_attempts(
    arrive: Callable[..., None], arrive_again: Callable[..., None]
) -> None:
    """After an outage everything is a retry; new calls go on beside them, whether tasks wait for
    their slots or nobody carries them now.
    """
    async with Yard() as yard:
        guests = Guests(yard, 4)
        arrive_again(guests, *range(10, 30), again=True)
        await quiescence()
        arrive(guests, *range(1, 10))
        await quiescence()

        for guest in (10, 11, 12, 13):
            guests.leave(guest)
            await quiescence()

        assert len([guest for guest in guests.inside if guest < 10]) == 3
        assert len(guests.retrying) == 1


@settings(max_examples=30)
@given(most=st.integers(1, 12), order=st.lists(st.integers(0, 100), max_size=25))
async def test_first_attempts_that_wait_have_half_of_the_slots(most: int, order: list[int]) -> None:
    """Whichever requests end, in whatever order: retries get no slot beyond half of them while a
    first attempt waits, and first attempts are not all there is either.
    """
    async with Yard() as yard:
        guests = Guests(yard, most)
        half = max(1, most // 2)
        guests.come(*range(1_000, 1_030), again=True)
        await quiescence()
        guests.come(*range(30))
        await quiescence()
        for which in order:
            before = set(guests.retrying)
            guests.leave(guests.inside[which % len(guests.inside)])
            await quiescence()
            newcomers = guests.retrying - before
            assert not newcomers or len(guests.retrying) <= half
        assert len(order) < 3 or min(guests.begun) < 100


async def test_a_rate_is_kept_outside_of_the_slots() -> None:
    """Who waits for the rate has no slot, and whoever needs none of it may go."""
    async with Yard() as yard:
        guests = Guests(yard, 8, rate=2.0)
        guests.come(*range(6))
        await guests.clock.advance(0)
        assert guests.inside == [0]
        assert guests.slots.in_use == 1
        guests.come(10, to=OTHER)
        await guests.clock.advance(0)
        assert guests.inside == [0, 10]

        await guests.clock.advance(2.0)

        assert guests.inside == [0, 10, 1, 2, 3, 4]


async def test_requests_begin_no_faster_than_the_rate() -> None:
    """Whatever else holds them up meanwhile: what waited for slots is no burst afterwards."""
    async with Yard() as yard:
        guests = Guests(yard, 4, rate=5.0)
        guests.come(*range(40))
        await guests.clock.advance(10.0)
        assert len(guests.inside) == 4

        for guest in range(40):
            guests.leave(guest)
        await guests.clock.advance_until(lambda: len(guests.begun) == 40)

        begun = sorted(guests.begun.values())
        assert all(after - before > 0.2 - 1e-6 for before, after in pairwise(begun))
        assert begun[-1] - begun[4] < 35 * 0.2 + 0.1


async def test_a_slot_without_a_request_costs_nothing_of_the_rate() -> None:
    """A gate may close while a record waits for its slot: the next one need not wait for that."""
    clock = FakeClock()
    slots = Slots(clock, 4, 0.1)

    for _ in range(100):
        with slots.slot(DESTINATION) as slot:
            await slot.take(is_retry=False)

    assert clock.next_due is None


async def test_a_call_waits_for_the_rate_at_every_attempt() -> None:
    """Retries are requests as well."""
    async with open_road(measures=Measures(rate=1.0)) as road:
        road.begin()
        road.admit(*(record(str(offset), offset) for offset in range(5)))

        await road.clock.advance(2.5)
        assert len(road.tuner.received) == 3
        await road.clock.advance(2.0)

        assert len(road.tuner.received) == 5


async def test_one_that_is_lined_up_begins_at_once_when_there_is_a_slot() -> None:
    """It has it from then on, before it takes a step."""
    async with Yard() as yard:
        guests = Guests(yard, 2)

        guests.line_up(1, 2, 3)

        assert guests.slots.in_use == 2
        assert guests.lined_up == 1


async def test_those_who_are_lined_up_begin_in_turn_behind_those_who_have_begun() -> None:
    """Whoever came back from a gate was there before them; whoever comes later is behind them."""
    async with Yard() as yard:
        guests = Guests(yard, 1)
        guests.come(1, 2)
        await quiescence()
        guests.line_up(3, 4)

        for number in range(1, 4):
            guests.leave(number)
            await quiescence()

        assert list(guests.begun) == [1, 2, 3, 4]


async def test_a_rate_is_kept_by_those_who_are_lined_up() -> None:
    """Each begins when there is a token for it, and nobody else has to come for that."""
    async with Yard() as yard:
        guests = Guests(yard, 8, rate=2.0)
        guests.line_up(*range(6))

        await guests.clock.advance(2.6)

        assert guests.inside == list(range(6))
        assert all(after - before > 0.5 - 1e-6 for before, after in pairwise(guests.begun.values()))


async def test_one_that_goes_without_a_request_gives_its_place_in_the_rate_back() -> None:
    """A gate may have closed while it was in line."""
    clock = FakeClock()
    slots = Slots(clock, 4, 0.1)

    for _ in range(100):
        slots.line_up(DESTINATION, lambda _, slot: slot.leave(), None, is_retry=False)

    assert clock.next_due is None
    assert slots.in_use == 0


async def test_a_slot_that_was_left_is_waited_for_again() -> None:
    """For each request one, and to leave it twice gives nothing back that is not one's own."""
    slots = Slots(FakeClock(), 2)
    given: list[Slot] = []
    for _ in range(2):
        slots.line_up(DESTINATION, lambda _, slot: given.append(slot), None, is_retry=False)

    given[0].leave()
    given[0].leave()
    assert slots.in_use == 1
    await given[0].take(is_retry=True)

    assert slots.in_use == 2


@pytest.mark.parametrize("again", [False, True])
async def test_those_who_were_lined_up_can_be_forgotten(*, again: bool) -> None:
    """A drain leaves them; who comes after it has the slots."""
    async with Yard() as yard:
        guests = Guests(yard, 1)
        guests.line_up(1, 2, 3, again=again)
        await quiescence()

        guests.slots.clear()
        guests.leave(1)
        guests.come(4)
        await quiescence()

        assert guests.inside == [4]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "line up", "again", "line up again", "other", "leave", "cancel"]),
        st.integers(0, 4),
    ),
    max_size=40,
)


@given(most=st.integers(1, 4), steps=STEPS)
async def test_nobody_waits_while_a_slot_is_free(most: int, steps: list[tuple[str, int]]) -> None:
    """Whatever comes, leaves and gives up, at whatever turn of the loop."""
    async with Yard() as yard:
        guests = Guests(yard, most)
        for number, (step, argument) in enumerate(steps):
            match step:
                case "come":
                    guests.come(number)
                case "line up":
                    guests.line_up(number)
                case "again":
                    guests.come(number, again=True)
                case "line up again":
                    guests.line_up(number, again=True)
                case "other":
                    guests.come(number, to=OTHER)
                case "leave" if guests.inside:
                    guests.leave(guests.inside[argument % len(guests.inside)])
                case "cancel" if guests.tasks:
                    list(guests.tasks.values())[argument % len(guests.tasks)].cancel()
                case _:
                    pass
            for _ in range(argument):
                await asyncio.sleep(0)
            assert guests.slots.in_use <= most
            assert guests.slots.in_use >= len(guests.inside)
        await quiescence()
        assert guests.slots.in_use == len(guests.inside)
        assert not (guests.waiting or guests.lined_up) or guests.slots.in_use == most
