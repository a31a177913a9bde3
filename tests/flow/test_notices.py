"""What holds letters is told when it lasts, once a minute, and when it is over."""

from fake_clock import FakeClock
from fakes import RecordingObserver

from ingestor.core.notice import Notice
from ingestor.flow.notices import INTERVAL, Notices


def look(cause: str = "refused") -> Notice:
    """See what there is to tell."""
    return Notice("route a", cause, "look at it")


def notices() -> tuple[FakeClock, RecordingObserver, Notices]:
    """Begin with nothing held."""
    clock, observer = FakeClock(), RecordingObserver()
    return clock, observer, Notices(clock, observer)


async def test_it_is_told_at_once_and_then_every_minute() -> None:
    """With how long it has lasted; somebody may have overlooked the first line."""
    clock, observer, held = notices()

    held.begin("route a", look)
    await clock.advance(2.5 * INTERVAL)

    assert [told.seconds for told in observer.notices] == [0, INTERVAL, 2 * INTERVAL]


async def test_what_is_told_is_looked_up_each_time() -> None:
    """Another cause may dominate by then."""
    clock, observer, held = notices()
    causes = iter(("refused", "exhausted"))

    held.begin("route a", lambda: look(next(causes)))
    await clock.advance(INTERVAL)

    assert [told.cause for told in observer.notices] == ["refused", "exhausted"]


async def test_what_has_begun_goes_on() -> None:
    """However often it is said to begin."""
    clock, observer, held = notices()

    for _ in range(3):
        held.begin("route a", look)
    await clock.advance(INTERVAL)

    assert len(observer.notices) == 2


async def test_the_end_is_told_once() -> None:
    """And nothing more afterwards."""
    clock, observer, held = notices()
    held.begin("route a", look)

    held.end("route a")
    held.end("route a")
    await clock.advance(5 * INTERVAL)

    assert observer.releases == ["route a"]
    assert len(observer.notices) == 1


async def test_what_ends_within_the_grace_was_never_told() -> None:
    """Neither its begin nor its end."""
    clock, observer, held = notices()
    held.begin("route a", look, grace=3)
    await clock.advance(2)

    held.end("route a")
    await clock.advance(INTERVAL)

    assert (observer.notices, observer.releases) == ([], [])


async def test_after_the_grace_it_is_told() -> None:
    """It counts from its begin."""
    clock, observer, held = notices()

    held.begin("route a", look, grace=3)
    await clock.advance(3)

    assert [told.seconds for told in observer.notices] == [3]
