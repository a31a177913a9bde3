"""What is held is told when it lasts, once a minute, and when it is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fake_clock import EPOCH, FakeClock
from fakes import RecordingObserver
from flow.road import Yard

from ingestor.core.notice import Kind, Matter, Notice
from ingestor.flow.notices import INTERVAL, Notices

ROUTE = Matter(Kind.LETTERS, "route a")
KEY = Matter(Kind.FAULT, "route a")


def look(cause: str = "refused") -> Notice:
    """See what there is to tell."""
    return Notice(ROUTE, cause, "look at it")


@dataclass(frozen=True, slots=True)
class Desk:
    """Notices that run, in virtual time."""

    clock: FakeClock
    observer: RecordingObserver
    notices: Notices


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Begin with nothing held."""
    clock, observer = FakeClock(), RecordingObserver()
    notices = Notices(clock, observer)
    async with Yard() as yard:
        yard.start(notices.run())
        await clock.advance(0)
        yield Desk(clock, observer, notices)


async def test_it_is_told_at_once_and_then_every_minute(desk: Desk) -> None:
    """With since when it has lasted; somebody may have overlooked the first line."""
    begun = EPOCH + desk.clock.now()
    desk.notices.begin(ROUTE, look)
    assert [told.since for told in desk.observer.notices] == [begun]

    await desk.clock.advance(59.9)
    assert desk.observer.reminders == []
    await desk.clock.advance(3540.1)

    assert len(desk.observer.notices) == 1
    assert [[told.since for told in reminder] for reminder in desk.observer.reminders] == [
        [begun]
    ] * 60


async def test_nobody_is_reminded_of_nothing(desk: Desk) -> None:
    """A log is read by people."""
    await desk.clock.advance(10 * INTERVAL)

    assert desk.observer.reminders == []


async def test_what_is_told_is_looked_up_each_time(desk: Desk) -> None:
    """Another cause may dominate by then."""
    causes = iter(("refused", "exhausted"))

    desk.notices.begin(ROUTE, lambda: look(next(causes)))
    await desk.clock.advance(INTERVAL)

    assert [told.cause for told in desk.observer.notices] == ["refused"]
    assert [told.cause for (told,) in desk.observer.reminders] == ["exhausted"]


async def test_a_reminder_is_one_of_all(desk: Desk) -> None:
    """Two things of one name are two when they are held for another reason."""
    desk.notices.begin(ROUTE, look)
    desk.notices.begin(KEY, lambda: Notice(KEY, "unknown_route", "look there"))
    await desk.clock.advance(INTERVAL)
    desk.notices.end(KEY)
    await desk.clock.advance(INTERVAL)

    named = [[told.matter for told in reminder] for reminder in desk.observer.reminders]
    assert named == [[ROUTE, KEY], [ROUTE]]


async def test_what_has_begun_goes_on(desk: Desk) -> None:
    """However often it is said to begin."""
    for _ in range(3):
        desk.notices.begin(ROUTE, look)
        await desk.clock.advance(1)

    assert len(desk.observer.notices) == 1


async def test_the_end_is_told_once(desk: Desk) -> None:
    """And nothing more afterwards."""
    desk.notices.begin(ROUTE, look)

    desk.notices.end(ROUTE)
    desk.notices.end(ROUTE)
    await desk.clock.advance(5 * INTERVAL)

    assert desk.observer.lifts == ["route a"]
    assert len(desk.observer.notices) == 1
    assert desk.observer.reminders == []


async def test_what_ends_within_the_grace_was_never_told(desk: Desk) -> None:
    """Neither its begin nor its end."""
    desk.notices.begin(ROUTE, look, grace=3)
    await desk.clock.advance(2)

    desk.notices.end(ROUTE)
    await desk.clock.advance(INTERVAL)

    assert (desk.observer.notices, desk.observer.lifts) == ([], [])


async def test_after_the_grace_it_is_told(desk: Desk) -> None:
    """It counts from its begin; nobody is reminded of what was not told."""
    begun = EPOCH + desk.clock.now()

    await desk.clock.advance(INTERVAL - 1)
    desk.notices.begin(ROUTE, look, grace=3)
    await desk.clock.advance(2)
    assert (desk.observer.notices, desk.observer.reminders) == ([], [])
    await desk.clock.advance(1)

    assert [told.since for told in desk.observer.notices] == [begun + INTERVAL - 1]
