"""A letter is written until the broker has acknowledged it: before that its record is not
finished.
"""

from fake_clock import quiescence
from flow.road import open_road

from ingestor.core.letter import Letter
from ingestor.flow.burial import BACKOFF

LETTER = Letter(None, b"{}", (("ingestor-reason", b"refused"),))
OTHER = Letter(None, b"[]", ())


async def test_a_letter_is_written_once_when_the_broker_acknowledges_it() -> None:
    """And nobody is told: a letter is told with its record."""
    async with open_road() as road:
        await road.burial.bury(LETTER)

        assert road.letters.sent == [LETTER]
        assert road.clock.naps == []
        assert road.observer.changes == []


async def test_a_refused_letter_is_tried_again_with_growing_pauses() -> None:
    """However long it takes; the pauses are drawn from zero to a ceiling that doubles."""
    async with open_road() as road:
        road.letters.refuse(10)

        burial = road.start(road.burial.bury(LETTER))
        await road.clock.advance_until(burial.done)

        assert road.letters.sent == [LETTER]
        assert len(road.letters.tried) == 11
        ceilings = [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
        assert road.clock.naps == [ceiling * 0.5 for ceiling in ceilings]
        assert ceilings == [BACKOFF.ceiling(attempt) for attempt in range(1, 11)]


async def test_stuck_letters_are_told_once_and_so_is_their_end() -> None:
    """A page that repeats itself is switched off."""
    async with open_road() as road:
        road.letters.refuse(5, "NotEnoughReplicas")
        for _ in range(3):
            road.start(road.burial.bury(LETTER))
        await road.clock.advance_until(lambda: len(road.letters.sent) == 3)

        await road.burial.bury(LETTER)

        assert road.observer.changes == [
            ("letters_stuck", {"cause": "NotEnoughReplicas"}),
            ("letters_written_again", {}),
        ]


async def test_letters_do_not_wait_for_each_other() -> None:
    """One whose acknowledgement takes its time holds up nobody."""
    async with open_road() as road:
        road.letters.hold()
        road.start(road.burial.bury(LETTER))
        road.start(road.burial.bury(OTHER))
        await quiescence()

        assert road.letters.tried == [LETTER, OTHER]


async def test_a_cancelled_burial_ends_at_once() -> None:
    """Its record comes again, and with it the letter."""
    async with open_road() as road:
        road.letters.refuse()
        burial = road.start(road.burial.bury(LETTER))
        await road.clock.advance(1)

        burial.cancel()
        await quiescence()

        assert burial.cancelled()
        assert road.letters.sent == []
