"""A drain begins nothing, awaits what is on the wire and the letters it leads to, and leaves the
rest.
"""

import pytest
from fake_clock import quiescence
from fakes import FakeTuner
from flow.road import (
    BROKEN,
    P0,
    REFUSAL,
    UNAUTHORIZED,
    Measures,
    busy_for,
    open_road,
    record,
    records,
)

from ingestor.core.answer import Answer
from ingestor.core.outcome import Delivered

SECONDS = 20.0


async def test_an_attempt_on_the_wire_is_awaited_and_settled() -> None:
    """Else Tuner would get the call twice."""
    async with open_road() as road:
        await road.carry(record("a"))

        drain = await road.drain()
        await road.clock.advance(19)
        assert not drain.done()
        await road.release()

        assert drain.result() == 0
        assert road.finished == [0]


@pytest.mark.parametrize(
    ("slots", "call_ids"), [(1, "abc"), (64, "aaa")], ids=["for a slot", "for their turn"]
)
async def test_records_that_wait_for_their_first_attempt_are_left(
    slots: int, call_ids: str
) -> None:
    """They come again: for a slot that is free again none is begun, and a lane ends with the one
    that is on the wire.
    """
    async with open_road(measures=Measures(slots=slots)) as road:
        await road.carry(*records(*call_ids))

        drain = await road.drain()
        await road.release()

        assert drain.result() == 0
        assert road.tuner.call_ids == ["a"]
        assert road.mark() == 1


async def test_what_was_left_stays_left() -> None:
    """The next assignment, or another member, has those records: the slots are for them."""
    async with open_road(measures=Measures(slots=1)) as road:
        await road.carry(*records("a", "b", "b", "c"))

        drain = await road.drain()
        await road.release()
        assert drain.result() == 0
        assert road.slots.in_use == 0
        road.begin()
        road.admit(record("d", 4))
        await quiescence()

        assert road.tuner.call_ids == ["a", "d"]


async def test_a_record_that_gets_its_slot_as_the_drain_begins_is_left() -> None:
    """It has not begun."""
    async with open_road() as road:
        road.begin()
        road.admit(record("a"))

        assert await road.pipeline.drain(SECONDS) == 0
        await quiescence()

        assert road.tuner.call_ids == []
        assert road.slots.in_use == 0


@pytest.mark.parametrize(
    "answer", [BROKEN, UNAUTHORIZED, busy_for(30)], ids=["backoff", "hold", "rest"]
)
async def test_records_that_wait_for_another_attempt_are_left(answer: Answer) -> None:
    """Whatever they wait for: the drain is over at once."""
    async with open_road(FakeTuner({"a": [answer]})) as road:
        road.begin()
        road.admit(record("a"))
        await quiescence()

        drained = await road.drain()

        assert drained.result() == 0
        await road.clock.advance(3_600)
        assert road.tuner.call_ids == ["a"]
        assert road.finished == []


@pytest.mark.parametrize("answer", [BROKEN, UNAUTHORIZED, busy_for(30)], ids=["500", "401", "429"])
async def test_an_attempt_that_fails_during_a_drain_is_the_last(answer: Answer) -> None:
    """No new one begins; the record is left, and nobody waits for its backoff."""
    async with open_road(FakeTuner({"a": [answer]})) as road:
        await road.carry(record("a"))

        drain = await road.drain()
        await road.release()

        assert drain.result() == 0
        assert road.tuner.call_ids == ["a"]
        assert road.clock.naps == []
        assert road.finished == []


async def test_a_letter_that_an_attempt_leads_to_is_awaited() -> None:
    """Also when it has to be written more than once."""
    async with open_road(FakeTuner({"a": [REFUSAL]})) as road:
        road.begin()
        road.tuner.hold()
        road.letters.refuse(2)
        road.admit(record("a"))
        await quiescence()

        drain = await road.drain()
        road.tuner.release()
        await road.clock.advance_until(drain.done, most=SECONDS)

        assert drain.result() == 0
        assert len(road.letters.sent) == 1
        assert road.finished == [0]


async def test_a_letter_that_is_being_written_is_awaited() -> None:
    """It is as good as done."""
    async with open_road() as road:
        road.begin()
        road.letters.hold()
        road.admit(record(value=b"no call"))
        await quiescence()

        drain = await road.drain()
        await road.clock.advance(10)
        road.letters.release()
        await quiescence()

        assert drain.result() == 0
        assert road.finished == [0]


async def test_what_overruns_is_cut_off_and_counted() -> None:
    """Attempts without an answer and letters without an acknowledgement: they come again."""
    async with open_road(FakeTuner({"b": [REFUSAL]})) as road:
        road.begin()
        road.tuner.hold("a", "c")
        road.letters.hold()
        road.admit(*records("a", "b", "c", "c"))
        await quiescence()

        drain = await road.drain()
        await road.clock.advance(SECONDS)

        assert drain.result() == 3
        assert road.finished == []
        assert road.mark() == 0
        assert road.slots.in_use == 0


async def test_after_a_drain_the_room_is_empty_and_open() -> None:
    """What was left is no longer in work."""
    async with open_road(measures=Measures(slots=1)) as road:
        await road.carry(*records("a", "b", "c"))
        assert road.room.records == 3

        drain = await road.drain()
        await road.clock.advance(SECONDS)

        assert drain.done()
        assert (road.room.records, road.room.bytes, not road.room.is_full) == (0, 0, True)


async def test_what_a_drain_settles_is_part_of_the_commit_that_follows() -> None:
    """Delivered while draining is delivered."""
    async with open_road() as road:
        await road.carry(record("a"))
        drain = await road.drain()
        await road.release()
        assert drain.done()

        await road.committer.commit()

        assert road.source.committed == {P0: 1}
        assert isinstance(road.observer.endings[0][1], Delivered)
