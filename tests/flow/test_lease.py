"""Nothing new is posted when the group may have given our partitions to somebody else."""

from typing import TypeAlias

import pytest
from fake_clock import FakeClock, quiescence
from fakes import RecordingObserver
from flow.road import Measures, busy_for, open_road, record, records

from ingestor.flow.lease import Lease

Change: TypeAlias = tuple[str, dict[str, object]]

SECONDS = 9.0
LEASED = Measures(lease_seconds=SECONDS)
IN_DOUBT: Change = ("membership_in_doubt", {})
CONFIRMED: Change = ("membership_confirmed", {})


def lease() -> tuple[Lease, FakeClock, RecordingObserver]:
    """Make a lease that nobody has renewed."""
    clock, observer = FakeClock(), RecordingObserver()
    return Lease(clock, observer, SECONDS), clock, observer


# How long it is good for


async def test_before_the_first_acknowledgement_nothing_is_certain() -> None:
    """An assignment may have been long on its way to us."""
    ours, _, _ = lease()

    assert not ours.is_valid


@pytest.mark.parametrize("age", [0.0, 3.0])
async def test_it_counts_from_the_moment_when_the_group_was_asked(age: float) -> None:
    """The answer may take its time; the coordinator has been counting meanwhile."""
    ours, clock, _ = lease()

    ours.renew(age)

    await clock.advance(SECONDS - age - 0.001)
    assert ours.is_valid
    await clock.advance(0.001)
    assert not ours.is_valid


async def test_a_late_answer_to_an_early_question_takes_nothing_back() -> None:
    """Answers come in the order in which they like."""
    ours, clock, _ = lease()
    ours.renew(0.0)

    ours.renew(5.0)

    await clock.advance(SECONDS - 0.001)
    assert ours.is_valid


async def test_an_answer_that_is_a_session_old_wakes_nobody() -> None:
    """It was held back on its way, and says nothing of today."""
    async with open_road(measures=LEASED) as road:
        road.lease.end()
        waiting = road.start(road.lease.until_valid())
        await quiescence()

        road.lease.renew(SECONDS)
        await quiescence()
        assert not waiting.done()

        road.lease.renew(SECONDS - 0.1)
        await quiescence()
        assert waiting.done()


async def test_it_ends_with_the_partitions() -> None:
    """The next ones need an acknowledgement of their own."""
    ours, _, _ = lease()
    ours.renew(0.0)

    ours.end()

    assert not ours.is_valid


# What is told


async def test_its_end_is_told_once_and_so_is_that_it_goes_on() -> None:
    """However long it lasts; while it is renewed in time nothing is told."""
    ours, clock, observer = lease()
    ours.renew(0.0)
    ours.begin()
    for _ in range(30):
        await clock.advance(1)
        ours.renew(0.0)
    assert observer.changes == []

    await clock.advance(600)
    assert observer.changes == [IN_DOUBT]
    ours.renew(0.0)
    ours.renew(0.0)
    assert observer.changes == [IN_DOUBT, CONFIRMED]
    await clock.advance(600)
    assert observer.changes == [IN_DOUBT, CONFIRMED, IN_DOUBT]


async def test_without_partitions_there_is_nothing_to_tell() -> None:
    """While the group waits for its slowest member nobody sends heartbeats."""
    ours, clock, observer = lease()
    ours.renew(0.0)
    ours.begin()
    ours.begin()
    ours.end()

    await clock.advance(600)

    assert observer.changes == []
    assert clock.next_due is None


async def test_partitions_without_an_acknowledgement_are_told_of() -> None:
    """They wait for one."""
    ours, _, observer = lease()

    ours.begin()

    assert observer.changes == [IN_DOUBT]


# What it stops


async def test_no_post_begins_without_it_and_all_do_when_it_is_renewed() -> None:
    """In the meantime nothing is given up, and nothing is posted twice."""
    async with open_road(measures=LEASED) as road:
        road.begin()
        await road.clock.advance(SECONDS)
        road.admit(*records("a", "b", "b"))
        await road.clock.advance(600)
        assert road.tuner.received == []

        road.assignments.renew(0.0)
        await quiescence()

        assert road.tuner.call_ids == ["a", "b", "b"]
        assert road.finished == [0, 1, 2]


async def test_what_is_on_the_wire_ends_and_counts() -> None:
    """Tuner's answer is true whoever has the partition; it is committed when the group knows us."""
    async with open_road(measures=LEASED) as road:
        road.begin()
        road.tuner.hold()
        road.admit(*records("a", "a"))
        await road.clock.advance(SECONDS)

        road.tuner.release()
        await road.clock.advance(600)
        assert road.finished == [0]
        assert road.tuner.call_ids == ["a"]

        road.assignments.renew(0.0)
        await quiescence()
        assert road.tuner.call_ids == ["a", "a"]
        assert road.mark() == 2


async def test_who_waits_for_a_slot_or_a_pause_when_it_ends_does_not_begin() -> None:
    """It is looked at last of all, when the request could go out."""
    measures = Measures(lease_seconds=SECONDS, slots=1)
    async with open_road(measures=measures) as road:
        road.begin()
        road.tuner.hold("a")
        road.admit(*records("a", "b"))
        await road.clock.advance(SECONDS)

        road.tuner.release("a")
        await road.clock.advance(600)
        assert road.tuner.call_ids == ["a"]
        assert road.slots.in_use == 0

        road.assignments.renew(0.0)
        await quiescence()
        assert road.tuner.call_ids == ["a", "b"]


async def test_a_call_that_is_to_be_tried_again_waits_for_it() -> None:
    """Its pause may be over before."""
    async with open_road(measures=LEASED) as road:
        road.tuner.answer = lambda _: busy_for(20)
        road.begin()
        road.admit(record("a"))
        await road.clock.advance(600)
        assert road.tuner.call_ids == ["a"]


async def test_a_drain_leaves_what_waits_for_it() -> None:
    """A rebalance or a signal does not wait for the group."""
    async with open_road(measures=LEASED) as road:
        road.begin()
        await road.clock.advance(SECONDS)
        road.admit(*records("a", "b"))
        await quiescence()

        await road.end()

        assert road.tuner.received == []
        assert road.source.tried == []


async def test_an_assignment_that_ends_takes_it_along() -> None:
    """What was acknowledged of the last one says nothing of the next."""
    async with open_road(measures=LEASED) as road:
        road.begin()
        await road.end()

        assert not road.lease.is_valid
