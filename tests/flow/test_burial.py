"""A letter is written until the broker has acknowledged it: before that its record is not
finished.
"""

import pytest
from fake_clock import quiescence
from flow.road import open_road

from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.flow.burial import BACKOFF, FRESH_SECONDS, TOPIC

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


async def test_the_topic_is_looked_at_before_the_first_letter() -> None:
    """What is odd about it is told, once; so is that it had to be made."""
    async with open_road() as road:
        road.letters.condition = Prepared(("letters are removed after 7 days",), is_new=True)

        await road.burial.bury(LETTER)
        await road.burial.bury(OTHER)

        assert road.letters.looks == 1
        road.letters.condition = Prepared(("letters are removed after 7 days",))
        road.letters.refuse(1)
        burial = road.start(road.burial.bury(LETTER))
        await road.clock.advance_until(burial.done)
        assert road.letters.looks == 2
        assert road.observer.changes == [
            ("dead_letter_topic_created", {}),
            ("dead_letter_topic_odd", {"oddity": "letters are removed after 7 days"}),
            ("letters_stuck", {"cause": "NotLeader"}),
            ("letters_written_again", {}),
        ]


async def test_a_service_waits_for_the_topic_before_there_is_a_letter() -> None:
    """As long as there is no broker others tell of it; what only people can mend is told here."""
    async with open_road() as road:
        road.letters.condition = NotWritten("KafkaConnectionError")
        preparing = road.start(road.burial.prepare())
        await road.clock.advance(120)
        assert (road.observer.changes, road.observer.notices) == ([], [])

        road.letters.condition = NotWritten("topic_missing", "create it")
        await road.clock.advance(90)
        (first, *_) = road.observer.notices
        assert (first.matter, first.cause, first.remedy) == (TOPIC, "topic_missing", "create it")
        assert road.letters.tried == []

        road.letters.condition = Prepared()
        await road.clock.advance_until(preparing.done)
        assert preparing.result() is None
        assert road.observer.lifts == [TOPIC.what]
        assert road.observer.changes == [
            ("letters_stuck", {"cause": "topic_missing"}),
            ("letters_written_again", {}),
        ]
        assert await road.burial.prepare() is None


async def test_a_topic_that_erases_letters_is_refused_at_the_start() -> None:
    """Whoever started the service is there to hear it."""
    async with open_road() as road:
        road.letters.condition = Unfit("compacted")

        assert await road.burial.prepare() == Unfit("compacted")


@pytest.mark.parametrize(
    "trouble",
    [Unfit("compacted: set it to delete"), NotWritten("gone", "compacted: set it to delete")],
    ids=["unfit", "gone"],
)
async def test_no_letter_is_written_to_a_topic_in_trouble(trouble: Unfit | NotWritten) -> None:
    """Somebody changed it while we ran, and may change it back."""
    async with open_road() as road:
        road.letters.condition = trouble
        burial = road.start(road.burial.bury(LETTER))
        await road.clock.advance(100)
        assert road.letters.tried == []
        assert road.observer.notices[0].remedy == "compacted: set it to delete"

        road.letters.condition = Prepared()
        await road.clock.advance_until(burial.done)
        assert road.letters.sent == [LETTER]


async def test_a_topic_that_begins_to_erase_letters_gets_no_more_within_a_minute() -> None:
    """To write still works, and would tell nothing; after a pause the first letter finds it out."""
    async with open_road() as road:
        await road.burial.bury(LETTER)
        road.letters.condition = Unfit("compacted: set it to delete")
        await road.clock.advance(FRESH_SECONDS - 1)
        await road.burial.bury(OTHER)
        assert road.letters.looks == 1

        await road.clock.advance(1)
        burials = [road.start(road.burial.bury(LETTER)) for _ in range(3)]
        await road.clock.advance(100)
        assert road.letters.sent == [LETTER, OTHER]
        assert road.observer.notices[0].remedy == "compacted: set it to delete"

        road.letters.condition = Prepared()
        await road.clock.advance_until(lambda: all(burial.done() for burial in burials))
        assert len(road.letters.sent) == 5
        assert road.observer.lifts == [TOPIC.what]


async def test_many_letters_look_at_the_topic_once_a_minute() -> None:
    """One asks, and the others wait for what it hears."""
    async with open_road() as road:
        for _ in range(10):
            for _ in range(50):
                road.start(road.burial.bury(LETTER))
            await road.clock.advance(FRESH_SECONDS / 2)

        assert road.letters.looks == 5
        assert len(road.letters.sent) == 500
        assert road.observer.changes == []


async def test_what_only_people_can_mend_is_told_every_minute() -> None:
    """With how many letters wait for it; when it changes into an outage it is over."""
    async with open_road() as road:
        road.start(road.notices.run())
        road.letters.refuse(cause="TopicAuthorizationFailedError", remedy="grant Write")
        for _ in range(3):
            road.start(road.burial.bury(LETTER))
        await road.clock.advance(61)

        (begun,) = road.observer.notices
        ((reminder,),) = road.observer.reminders
        assert (begun.waiting, reminder.waiting) == (0, 3)
        assert reminder.remedy == "grant Write"

        road.letters.refuse(cause="KafkaConnectionError")
        await road.clock.advance(60)
        assert road.observer.lifts == [TOPIC.what]
        assert len(road.observer.reminders) == 1


async def test_while_letters_are_stuck_one_at_a_time_tries() -> None:
    """A thousand that try would be an attack on a broker that has just come back; then all go."""
    async with open_road() as road:
        road.letters.refuse()
        letters = [Letter(None, b"%d" % n, ()) for n in range(500)]
        for letter in letters:
            road.start(road.burial.bury(letter))
        await road.clock.advance(5)
        before = len(road.letters.tried)
        await road.clock.advance(300)
        assert len(road.letters.tried) - before < 40

        road.letters.accept()
        looks = road.letters.looks
        await road.clock.advance(30)

        assert road.letters.looks == looks + 1
        assert sorted(it.value or b"" for it in road.letters.sent) == sorted(
            letter.value or b"" for letter in letters
        )


async def test_a_letter_that_cannot_be_written_at_all_holds_up_no_other() -> None:
    """It is kept, and told as long as it lasts."""
    async with open_road() as road:
        road.letters.refuse(1, "too_large", "raise max.message.bytes", is_letters_own=True)
        stuck = road.start(road.burial.bury(LETTER))
        await quiescence()

        await road.burial.bury(OTHER)
        assert not stuck.done()

        road.letters.refuse(1, "too_large", "raise max.message.bytes", is_letters_own=True)
        await road.clock.advance_until(stuck.done)
        assert road.letters.sent == [OTHER, LETTER]
        told = ("letter_stuck", {"cause": "too_large", "remedy": "raise max.message.bytes"})
        assert road.observer.changes == [told, told]


async def test_one_that_is_cancelled_leaves_the_turn_to_the_next() -> None:
    """A drain that overruns may cancel the one that tries."""
    async with open_road() as road:
        road.letters.refuse()
        burials = [road.start(road.burial.bury(LETTER)) for _ in range(3)]
        await road.clock.advance(5)
        burials[0].cancel()
        await quiescence()
        road.letters.accept()

        await road.clock.advance(60)

        assert len(road.letters.sent) == 2
        assert [burial.done() for burial in burials] == [True] * 3
