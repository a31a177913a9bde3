"""Records are taken in as long as there is room; the source is asked even when there is none."""

import asyncio
from collections.abc import Collection, Sequence

import pytest
from fake_clock import quiescence
from fakes import MOMENT, FakeLetters, FakeSource, FakeTuner
from flow.road import P0, P1, Measures, body, open_road, record, records

from ingestor.core.decoder import Decoder, Reading
from ingestor.core.outcome import Dead, Reason
from ingestor.core.record import Partition, Record
from ingestor.flow.intake import PIECE_BYTES, Intake
from ingestor.flow.ports import Clock
from ingestor.flow.room import OVERHEAD_BYTES, Bounds

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
        await road.clock.advance(5 * MOMENT)
        assert road.room.is_full
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


async def test_what_came_is_on_its_way_before_the_source_is_asked_again() -> None:
    """To ask takes a while, in which a call that came alone would wait for nothing."""
    async with open_road() as road:
        road.begin(P0)
        road.source.most = 1
        road.source.publish(*records("a", "b"))

        road.start(road.intake.run())
        while len(road.source.asked) < 2:  # noqa: ASYNC110 - turn by turn: the very turn matters
            await asyncio.sleep(0)

        assert road.tuner.call_ids == ["a"]


async def test_a_partition_whose_records_do_not_leave_is_not_asked_for_and_the_others_are() -> None:
    """A slow call, with more events of its own behind it than there is room for, stops nobody but
    its own partition.
    """
    tuner = FakeTuner()
    tuner.hold("slow")
    async with open_road(tuner, Measures(room=Bounds(1_000, 2**20))) as road:
        road.begin(P0, P1)
        road.source.publish(*(record("slow", offset) for offset in range(2_000)))
        road.start(road.intake.run())
        await road.clock.advance(20 * MOMENT)
        assert 2**18 < road.room.bytes <= 2**19 + 2**17
        assert set(road.source.asked[-5:]) == {frozenset({P1})}

        others = [str(number) for number in range(500)]
        road.source.publish(*records(*others, partition=1))
        await road.clock.advance(60 * MOMENT)

        assert road.mark(P1) == 500
        assert road.mark(P0) == 0
        tuner.release()
        await road.clock.advance(60 * MOMENT)
        assert road.mark(P0) == 2_000


async def test_a_mended_body_is_counted_beside_its_event() -> None:
    """Both stay in memory: the one is posted, the other is for a letter."""
    tuner = FakeTuner()
    tuner.hold()
    placeholder = Decoder(Reading(recording_url="pending"))
    event = body("a").replace(b'"recording_url": "https://media.example/1.wav", ', b"")
    async with open_road(tuner, decoder=placeholder) as road:
        road.begin(P0)
        road.admit(record("a", value=event))
        await quiescence()

        assert road.room.bytes == OVERHEAD_BYTES + len(event) + len(tuner.received[0].body)
        tuner.release()
        await quiescence()

        assert road.room.bytes == 0


async def test_an_event_that_is_too_large_is_counted_and_leaves() -> None:
    """It is never read, and takes its part of the room until its letter is safe."""
    letters = FakeLetters()
    letters.hold()
    async with open_road(letters=letters, decoder=Decoder(Reading(max_bytes=1_000))) as road:
        road.begin(P0)
        road.admit(record(value=b"[" * 5_000))
        await quiescence()
        assert road.room.bytes == OVERHEAD_BYTES + 5_000

        letters.release()
        await quiescence()

        ((_, outcome),) = road.observer.endings
        assert isinstance(outcome, Dead)
        assert outcome.reason is Reason.TOO_LARGE
        assert (road.mark(), road.room.bytes) == (1, 0)


class Turns:
    """Somebody who counts the turns of the loop."""

    def __init__(self) -> None:
        self.turns = 0

    async def run(self) -> None:
        """Count."""
        while True:
            self.turns += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize("parts", [1, 4])
async def test_between_pieces_of_a_batch_the_others_run(parts: int) -> None:
    """To read one takes a while; answers and heartbeats must not wait for all of the batch, be it
    of large events or of many.
    """
    pieces = 8
    async with open_road() as road:
        road.begin(P0)
        padding = b" " * (PIECE_BYTES // parts)
        batch = [record(str(at), at, value=padding + body(str(at))) for at in range(pieces * parts)]
        source = ReadySource(road.clock, batch)
        intake = Intake(source=source, pipeline=road.pipeline, offsets=road.offsets, room=road.room)
        turns = Turns()
        road.start(turns.run())
        await asyncio.sleep(0)

        road.start(intake.run())
        before = turns.turns
        while road.room.records + len(road.finished) < len(batch):  # noqa: ASYNC110 - turn by turn
            await asyncio.sleep(0)

        assert turns.turns - before >= pieces


async def test_what_was_read_before_a_drain_is_not_admitted_after_it() -> None:
    """An assignment may end between two large events: the rest is no longer ours."""
    async with open_road() as road:
        road.begin(P0)
        large = [record(str(at), at, value=b" " * PIECE_BYTES + body(str(at))) for at in range(8)]
        intake = Intake(
            source=ReadySource(road.clock, large),
            pipeline=road.pipeline,
            offsets=road.offsets,
            room=road.room,
        )
        road.start(intake.run())
        while not road.room.records:  # noqa: ASYNC110 - turn by turn
            await asyncio.sleep(0)

        await road.pipeline.drain(1.0)
        await quiescence()

        assert len(road.tuner.received) < len(large)
        assert road.room.records == 0


class ReadySource(FakeSource):
    """A source that has one batch at hand, however much is asked for."""

    def __init__(self, clock: Clock, batch: Sequence[Record]) -> None:
        super().__init__(clock)
        self._batches = [batch]

    async def take(self, partitions: Collection[Partition], most: int = 1) -> Sequence[Record]:
        """Hand it out, and then nothing more."""
        return self._batches.pop() if self._batches else await super().take(partitions, most)


class LostSource(FakeSource):
    """A source that cannot go on."""

    async def take(self, _partitions: Collection[Partition], _most: int = 1) -> Sequence[Record]:
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
