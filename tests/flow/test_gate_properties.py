"""What holds at the gate whatever happens in front of it and behind it, at whatever instant."""

from collections import Counter
from collections.abc import Callable

from flow.crowd import (
    ACCEPTED,
    AGAIN,
    BROKEN,
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
    rest,
)
from flow.road import ROUTE, Yard
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.holds import OUTAGE, State

ROUTES = (ROUTE, OTHER_AGENT, OTHER_WORKSPACE, OTHER_BASE_URL, OTHER_CREDENTIAL)
VERDICTS = (
    ACCEPTED,
    REFUSED,
    AGAIN,
    BROKEN,
    rest(1),
    rest(4),
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_TUNER,
    UNKNOWN_ROUTE,
)
Event = tuple[float, str, int, int]

# All begin at points of time at which pauses end as well: what happens at one instant happens
# before any task has taken a step.
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0]),
        st.sampled_from(["come", "come", "answer", "answer", "answer", "cancel", "storm", "calm"]),
        st.integers(0, 7),
        st.integers(0, len(VERDICTS) - 1),
    ),
    max_size=30,
)
# Enough new ones to open a breaker.
MANY = 12


def deed(crowd: Crowd, number: int, event: Event) -> Callable[[], None]:
    """Make what happens at an *event*: somebody comes, is answered or gives up; many come, while
    those who are through meet a server that is down, or that works.
    """
    _, kind, which, verdict = event

    def happen() -> None:
        alive = [name for name, task in crowd.tasks.items() if not task.done()]
        match kind:
            case "come":
                crowd.come(str(number), route=ROUTES[which % len(ROUTES)])
            case "answer" if crowd.inside:
                crowd.answer(crowd.inside[which % len(crowd.inside)], VERDICTS[verdict])
            case "cancel" if alive:
                crowd.tasks[alive[which % len(alive)]].cancel()
            case "storm" | "calm":
                for name in crowd.inside:
                    crowd.answer(name, BROKEN if kind == "storm" else ACCEPTED)
                route = ROUTES[which % len(ROUTES)]
                crowd.come(*(f"{number}-{each}" for each in range(MANY)), route=route)
            case _:
                pass  # nobody is there to do it

    return happen


async def pass_time(crowd: Crowd) -> None:
    """Let time pass to where the next wait ends."""
    due = crowd.clock.next_due
    await crowd.clock.advance(0.0 if due is None else max(0.0, due - crowd.clock.now()))


async def play(crowd: Crowd, events: list[Event]) -> None:
    """Have all *events* happen, and look at the gate after each instant."""
    for number, event in enumerate(events):
        crowd.clock.call_later(event[0], deed(crowd, number, event))
    end = crowd.clock.now() + 8
    while (crowd.clock.next_due or end) < end:
        await pass_time(crowd)
        look(crowd)


def look(crowd: Crowd) -> None:
    """Check what holds while all tasks are at rest."""
    standings = {it.key: it for route in ROUTES for it in crowd.gate.way(route).standings}
    for keys in crowd.probes.values():
        # Whoever is still under way when a hold begins again is no probe of it any more.
        keys[:] = [key for key in keys if standings[key].state is State.TRYING]
    for key, number in Counter(key for keys in crowd.probes.values() for key in keys).items():
        assert number == 1 or not standings[key].is_probed, "one probe per key at a time"
        assert number <= OUTAGE.steps, "nor ever a burst"
    for name in crowd.waiting:
        assert crowd.gate.way(crowd.routes[name]).stop, f"{name} waits for nothing"


@given(EVENTS)
async def test_one_probe_per_key_and_nobody_waits_for_nothing(events: list[Event]) -> None:
    """Whoever waits is stopped by a rest, a pause or somebody else's probe, all of which end."""
    async with Yard() as yard:
        await play(Crowd(yard), events)


@given(EVENTS)
async def test_everybody_gets_through_once_tuner_accepts(events: list[Event]) -> None:
    """Whatever was before, and whoever gave up at whatever instant: no hold is left behind."""
    async with Yard() as yard:
        crowd = Crowd(yard)
        await play(crowd, events)
        for route in ROUTES:
            crowd.come(str(route), route=route)
        await crowd.clock.advance(0)

        while not all(task.done() for task in crowd.tasks.values()):
            for name in crowd.inside:
                crowd.answer(name, ACCEPTED)
            await pass_time(crowd)
            look(crowd)
            assert crowd.inside or crowd.clock.next_due or not crowd.waiting

        assert Counter(key for key, _ in crowd.observer.holds) == Counter(crowd.observer.lifts)
