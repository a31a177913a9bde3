"""Each item goes on when its pause is over, with few timers for many of them."""

from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from ingestor.flow.pauses import TICK_SECONDS, Pauses

LONGEST = 2.0


@given(waits=st.lists(st.tuples(st.floats(0, LONGEST), st.floats(0, 0.1))))
async def test_each_item_goes_on_when_its_pause_is_over(waits: list[tuple[float, float]]) -> None:
    """Never before, and no more than a tick later, whenever the others came."""
    clock, went_on = FakeClock(), dict[int, float]()
    pauses = Pauses[int](clock, lambda item: went_on.update({item: clock.now()}))
    due: dict[int, float] = {}

    for number, (seconds, between) in enumerate(waits):
        due[number] = clock.now() + seconds
        pauses.add(number, seconds)
        await clock.advance(between)
    await clock.advance(LONGEST + TICK_SECONDS)

    assert went_on.keys() == due.keys()
    late = [went_on[number] - due[number] for number in due]
    assert all(-1e-6 < each < TICK_SECONDS + 1e-6 for each in late)


async def test_all_of_one_tick_share_a_timer() -> None:
    """A thousand calls that failed together are a few hundred ticks at most."""
    clock, went_on = FakeClock(), list[int]()
    pauses = Pauses[int](clock, went_on.append)
    for number in range(1_000):
        pauses.add(number, number / 1_000)

    timers = 0
    while clock.next_due is not None:
        timers += 1
        await clock.advance(clock.next_due - clock.now())

    assert timers <= 1 + 1 / TICK_SECONDS
    assert went_on == list(range(1_000))


async def test_those_who_were_forgotten_do_not_go_on() -> None:
    """Those who come after that do, at the same tick too."""
    clock, went_on = FakeClock(), list[str]()
    pauses = Pauses[str](clock, went_on.append)
    pauses.add("before", 0.5)

    pauses.clear()
    pauses.add("after", 0.5)
    await clock.advance(1)

    assert went_on == ["after"]
