"""Commits go out after a second or a thousand settlements, whichever is first, one at a time."""

from dataclasses import dataclass

from fake_clock import FakeClock, quiescence
from fakes import FakeSource
from flow.road import P0, P1, Yard, record

from ingestor.core.offsets import Claim, Offsets
from ingestor.core.record import Partition
from ingestor.flow.committer import INTERVAL, MOST_SETTLED, Committer


@dataclass(frozen=True, slots=True)
class Desk:
    """A committer and what it works with."""

    clock: FakeClock
    source: FakeSource
    offsets: Offsets
    committer: Committer

    def claim(self, number: int, partition: Partition = P0) -> list[Claim]:
        """Take the next *number* records into work."""
        first = self.offsets.ledgers()[partition].upcoming
        made = [
            self.offsets.claim(record(offset=offset, partition=partition.number), 0.0)
            for offset in range(first, first + number)
        ]
        return [claim for claim in made if claim]

    def finish(self, number: int, partition: Partition = P0) -> None:
        """Take the next *number* records into work, settle and note them."""
        for claim in self.claim(number, partition):
            claim.settle()
            self.committer.note()


def desk(*partitions: Partition) -> Desk:
    """Make a desk that owns *partitions*."""
    clock, offsets = FakeClock(), Offsets()
    source = FakeSource(clock)
    for name, start in source.join(*(partitions or (P0,))).items():
        offsets.assign(name, start.offset, start.memo)
    return Desk(clock, source, offsets, Committer(source=source, offsets=offsets, clock=clock))


async def test_what_is_finished_is_committed_within_a_second() -> None:
    """A kill loses no more than a second of settlements."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.finish(3)

        await at.clock.advance(0.99)
        assert at.source.tried == []
        await at.clock.advance(0.01)

        assert at.source.committed == {P0: 3}


async def test_a_thousand_settlements_do_not_wait_for_the_second() -> None:
    """Nor is more than a thousand lost, however fast it goes."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())

        at.finish(999)
        await quiescence()
        assert at.source.tried == []
        at.finish(1)
        await quiescence()

        assert at.source.committed == {P0: 1_000}


async def test_every_thousand_counts_from_the_last_commit() -> None:
    """A commit after a second starts the count anew, and one after a thousand the second."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.finish(MOST_SETTLED - 1)
        await at.clock.advance(INTERVAL)
        assert len(at.source.tried) == 1

        at.finish(MOST_SETTLED - 1)
        await at.clock.advance(INTERVAL / 2)
        assert len(at.source.tried) == 1
        at.finish(1)
        await quiescence()
        assert len(at.source.tried) == 2
        at.finish(1)
        await at.clock.advance(INTERVAL - 0.01)
        assert len(at.source.tried) == 2
        await at.clock.advance(0.01)

        assert at.source.committed == {P0: 2 * MOST_SETTLED}


async def test_what_is_finished_beyond_a_mark_that_stays_is_committed_as_well() -> None:
    """At the same pace, and once: a kill then repeats no more than it does otherwise."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.claim(1)
        at.finish(3)

        await at.clock.advance(INTERVAL)
        assert at.source.told(P0) == [1, 2, 3]
        at.finish(MOST_SETTLED)
        await quiescence()

        assert at.source.told(P0) == [*range(1, 4 + MOST_SETTLED)]
        await at.clock.advance(10 * INTERVAL)
        assert at.source.tried == [{P0: 0}, {P0: 0}]


async def test_what_is_finished_beyond_is_committed_again_when_it_was_refused() -> None:
    """As a mark is."""
    at = desk()
    at.claim(1)
    at.finish(3)
    at.source.refuse()

    await at.committer.commit()
    assert at.source.told(P0) == []
    await at.committer.commit()

    assert at.source.told(P0) == [1, 2, 3]


async def test_when_nothing_stays_behind_nothing_is_told() -> None:
    """The offset says it all."""
    at = desk()
    (first,) = at.claim(1)
    at.finish(3)
    await at.committer.commit()
    first.settle()

    await at.committer.commit()

    assert (at.source.committed, at.source.told(P0)) == ({P0: 4}, [])


async def test_nothing_new_is_not_committed() -> None:
    """An idle service is a quiet one."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.finish(1)

        await at.clock.advance(10 * INTERVAL)

        assert at.source.tried == [{P0: 1}]


async def test_only_partitions_whose_mark_moved_are_committed() -> None:
    """Each commit says what is new, of all partitions at once."""
    at = desk(P0, P1)
    at.finish(2, P0)
    await at.committer.commit()
    at.finish(1, P1)

    await at.committer.commit()

    assert at.source.tried == [{P0: 2}, {P1: 1}]


async def test_a_refused_commit_is_part_of_the_next() -> None:
    """What the broker did not acknowledge is not committed."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.source.refuse(2)
        at.finish(1)
        await at.clock.advance(INTERVAL)
        at.finish(1)
        await at.clock.advance(INTERVAL)
        assert at.source.committed == {}

        await at.clock.advance(INTERVAL)

        assert at.source.tried == [{P0: 1}, {P0: 2}, {P0: 2}]
        assert at.source.committed == {P0: 2}


async def test_commits_go_out_one_at_a_time() -> None:
    """Two at once may overtake each other, and the older one would win."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.source.hold()
        at.finish(1)
        await at.clock.advance(INTERVAL)
        at.finish(1)

        asked = yard.start(at.committer.commit())
        await at.clock.advance(5 * INTERVAL)
        assert at.source.tried == [{P0: 1}]
        at.source.release()
        await quiescence()

        assert asked.done()
        assert at.source.tried == [{P0: 1}, {P0: 2}]
        assert at.source.most_commits_under_way == 1


async def test_what_settles_during_a_commit_is_part_of_the_next() -> None:
    """An acknowledgement speaks of what was sent, not of what happened meanwhile."""
    async with Yard() as yard:
        at = desk()
        yard.start(at.committer.run())
        at.source.hold()
        at.finish(1)
        await at.clock.advance(INTERVAL)
        at.finish(MOST_SETTLED)

        at.source.release()
        await quiescence()

        assert at.source.tried == [{P0: 1}, {P0: 1 + MOST_SETTLED}], "and at once: it is a thousand"


async def test_an_acknowledgement_for_an_earlier_assignment_changes_nothing() -> None:
    """A partition that came back is read from its committed offset, whatever was under way."""
    async with Yard() as yard:
        at = desk()
        at.finish(5)
        at.source.hold()
        yard.start(at.committer.commit())
        await quiescence()

        at.offsets.assign(P0, 0)
        at.source.release()
        await quiescence()

        assert at.offsets.ledgers()[P0].committed == 0


async def test_a_cancelled_commit_does_not_stand_in_the_way_of_the_next() -> None:
    """At the end of the service the regular one is cancelled, and a last one goes out."""
    async with Yard() as yard:
        at = desk()
        regular = yard.start(at.committer.run())
        at.source.hold()
        at.finish(1)
        await at.clock.advance(INTERVAL)

        regular.cancel()
        await quiescence()
        at.source.release()
        await at.committer.commit()

        assert at.source.tried == [{P0: 1}, {P0: 1}]
        assert at.source.committed == {P0: 1}
