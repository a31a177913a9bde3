"""Two drains at a time, drains that are cancelled, and what a drain does to a hold."""

from fake_clock import quiescence
from fakes import FakeTuner
from flow.road import (
    UNAUTHORIZED,
    Measures,
    open_road,
    record,
    records,
)

SECONDS = 20.0


async def test_two_drains_at_a_time_do_no_harm() -> None:
    """A signal in the middle of a rebalance: what is on the wire is settled once, and counted."""
    async with open_road() as road:
        await road.carry(*records("a", "b"))

        first = await road.drain()
        await road.clock.advance(5)
        second = await road.drain()
        await road.clock.advance(5)
        await road.release()

        assert (first.result(), second.result()) == (0, 0)
        assert road.finished == [0, 1]
        assert (road.room.records, road.room.bytes) == (0, 0)


async def test_a_cancelled_drain_leaves_the_work_to_the_other() -> None:
    """The signal cancels whoever was taking, in the middle of a drain, and drains by itself."""
    async with open_road() as road:
        await road.carry(*records("a", "a", "b"))

        first = await road.drain()
        second = await road.drain()
        first.cancel()
        await quiescence()
        await road.release()

        assert second.result() == 0
        assert road.finished == [0, 2]
        assert (road.room.records, road.room.bytes) == (0, 0)


async def test_after_a_cancelled_drain_the_road_is_free() -> None:
    """What comes later is carried, also when it is the same call again."""
    async with open_road(measures=Measures(slots=1)) as road:
        await road.carry(*records("a", "b", "b"))

        drain = await road.drain()
        drain.cancel()
        await quiescence()
        road.tuner.release()
        road.begin()
        road.admit(*records("a", "b", "b"))
        await quiescence()

        assert road.finished == [0, 1, 2]
        assert (road.room.records, road.slots.in_use) == (0, 0)


async def test_a_probe_on_the_wire_is_awaited_and_what_it_learns_counts() -> None:
    """The next assignment need not wait for a hold that is over."""
    async with open_road(FakeTuner({"a": [UNAUTHORIZED]})) as road:
        road.begin()
        road.admit(*records("a", "b"))
        await quiescence()
        road.tuner.hold()
        await road.clock.advance(1)

        drain = await road.drain()
        await road.release()

        assert drain.result() == 0
        assert len(road.observer.lifts) == 1
        assert road.finished == [0, 1], "b had passed before the hold, a was the probe"


async def test_a_hold_outlives_a_drain() -> None:
    """Who comes next probes: those who were in line are gone."""
    async with open_road(FakeTuner({"a": [UNAUTHORIZED] * 2})) as road:
        road.begin()
        road.admit(record("a"))
        await quiescence()
        road.admit(record("b", 1))
        await road.pipeline.drain(SECONDS)
        road.begin()
        road.admit(*records("a", "b"))

        await road.clock.advance(10)

        assert road.finished == [0, 1]
        assert len(road.observer.holds) == len(road.observer.lifts) == 1


async def test_a_drain_at_the_moment_a_probe_is_due_loses_no_probe() -> None:
    """Whoever was just woken is cancelled, and with it everybody it would have passed the turn to:
    the next to come takes it.
    """
    async with open_road(FakeTuner({"a": [UNAUTHORIZED]})) as road:
        road.begin()

        def drain() -> None:
            road.start(road.pipeline.drain(SECONDS))

        # Made before the pause that ends at the same instant: the drain takes the first step.
        road.clock.call_later(1.0, drain)
        road.admit(record("a"))
        await quiescence()
        road.admit(record("b", 1))
        await road.clock.advance(1)
        assert road.tuner.call_ids == ["a"]

        road.begin()
        road.admit(*records("a", "b"))
        await road.clock.advance(1)

        assert road.finished == [0, 1]
