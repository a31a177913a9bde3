"""Records are taken in as long as there is room; the source is asked even when there is none."""

import asyncio
from collections.abc import Collection, Sequence

import pytest
from fake_clock import quiescence
from fakes import MOMENT, FakeSource, FakeTuner
from flow.road import P0, P1, Measures, open_road, record, records

from ingestor.core.record import Partition, Record
from ingestor.flow.intake import Intake
from ingestor.flow.room import Bounds

SMALL = Measures(room=Bounds(4, 2**20))


async def test_records_are_handed_on_in_the_order_of_their_offsets() -> None:
    """Each partition is read from its committed offset."""
    async with open_road() as road:
        road.source.publish(*records("a", "b", "c"))
        road.source.committed = {P0: 1}
        road.begin(P0)

        road.start(road.intake.run())
        await quiescence()

        assert road.tuner.call_ids == ["b", "c"]
        assert road.mark() == 3


async def test_only_our_own_partitions_are_asked_for() -> None:
    """Before the first assignment that is none, afterwards whatever we have at the moment."""
    async with open_road() as road:
        road.start(road.intake.run())
        await road.clock.advance(MOMENT)
        assert set(road.source.asked) == {frozenset()}

        road.begin(P0, P1)
        await road.clock.advance(2 * MOMENT)
        assert road.source.asked[-1] == {P0, P1}
        await road.end()
        await road.clock.advance(2 * MOMENT)

        assert road.source.asked[-1] == frozenset()


async def test_without_room_nothing_is_asked_for_but_the_source_is_asked() -> None:
    """Who does not ask loses the membership; what is not asked for stays where it is."""
    tuner = FakeTuner()
    tuner.hold()
    async with open_road(tuner, SMALL) as road:
        road.begin(P0)
        road.source.publish(*records("a", "b", "c", "d"))
        road.start(road.intake.run())
        await quiescence()
        assert not road.room.is_open
        road.source.publish(record("e", 4))
        road.source.asked.clear()

        await road.clock.advance(10 * MOMENT)

        assert len(road.source.asked) >= 10
        assert set(road.source.asked) == {frozenset()}
        assert "e" not in tuner.call_ids


async def test_taking_goes_on_when_there_is_room_again() -> None:
    """Backpressure ends by itself."""
    tuner = FakeTuner()
    tuner.hold()
    async with open_road(tuner, SMALL) as road:
        road.begin(P0)
        road.source.publish(*records("a", "b", "c", "d"))
        road.start(road.intake.run())
        await quiescence()
        road.source.publish(record("e", 4))

        tuner.release()
        await road.clock.advance(2 * MOMENT)

        assert road.mark() == 5


async def test_a_source_that_always_has_records_lets_the_others_run() -> None:
    """A batch at hand is handed out without a wait; the posts must go on all the same."""
    async with open_road() as road:
        road.begin(P0)
        road.source.most = 2
        road.source.publish(*(record(str(offset), offset) for offset in range(100)))

        road.start(road.intake.run())
        while not road.tuner.received:  # noqa: ASYNC110 - turn by turn: the very turn matters
            await asyncio.sleep(0)

        assert road.room.records < 10


class LostSource(FakeSource):
    """A source that cannot go on."""

    async def take(self, _partitions: Collection[Partition]) -> Sequence[Record]:
        """Fail."""
        raise LookupError


async def test_an_error_of_the_source_ends_the_service() -> None:
    """What it could not mend itself is a lost resource; nothing is swallowed on the way."""

    async def serve() -> None:
        async with open_road() as road:
            source = LostSource(road.clock)
            intake = Intake(
                source=source, pipeline=road.pipeline, offsets=road.offsets, room=road.room
            )
            road.start(intake.run())
            await road.clock.advance(1)

    with pytest.raises(ExceptionGroup) as caught:
        await serve()

    assert caught.group_contains(LookupError)
