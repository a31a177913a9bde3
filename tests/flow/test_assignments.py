"""Every rebalance takes all partitions away and gives some back: drain, commit, only then void."""

from fake_clock import quiescence
from flow.road import P0, P1, Measures, open_road, record, records

from ingestor.core.memo import Memo, Stretch, write


async def test_an_assignment_begins_at_the_committed_offsets() -> None:
    """And is told, with the partitions by name."""
    async with open_road() as road:
        road.source.committed = {P0: 7}

        road.begin(P1, P0)

        assert (road.mark(P0), road.mark(P1)) == (7, 0)
        assert road.observer.changes == [
            ("partitions_assigned", {"partitions": ["calls/0", "calls/1"]})
        ]


async def test_the_end_of_none_is_told_to_nobody() -> None:
    """The first rebalance of a life takes nothing away."""
    async with open_road() as road:
        await road.end()

        assert road.observer.changes == []
        assert road.source.tried == []


async def test_an_end_drains_then_commits_then_voids() -> None:
    """In that order: what the drain finishes is committed, and while the commit is under way the
    claims are still good.
    """
    async with open_road() as road:
        road.begin(P0)
        road.tuner.hold()
        road.source.hold()
        road.admit(record("a"))
        await quiescence()

        end = road.start(road.end())
        await road.clock.advance(5)
        assert road.source.tried == [], "it still drains"
        road.tuner.release()
        await quiescence()
        assert road.source.tried == [{P0: 1}]
        assert set(road.offsets.partitions) == {P0}, "it still commits"
        road.source.release()
        await quiescence()

        assert end.done()
        assert road.source.committed == {P0: 1}
        assert set(road.offsets.partitions) == set()
        assert road.observer.changes[-1] == (
            "partitions_revoked",
            {"partitions": ["calls/0"], "cut_off": 0},
        )


async def test_an_end_has_a_budget_and_tells_what_it_cut_off() -> None:
    """The others of the group wait for us."""
    async with open_road(measures=Measures(drain_seconds=3)) as road:
        road.begin(P0)
        road.tuner.hold("b", "c")
        road.admit(*records("a", "b", "c"))
        await quiescence()

        end = road.start(road.end())
        await road.clock.advance(3)

        assert end.done()
        assert road.source.committed == {P0: 1}
        assert road.observer.changes[-1] == (
            "partitions_revoked",
            {"partitions": ["calls/0"], "cut_off": 2},
        )


async def test_an_end_goes_on_when_the_commit_is_refused() -> None:
    """Around a rebalance that is common; what was not committed comes again."""
    async with open_road() as road:
        road.begin(P0)
        road.admit(record("a"))
        await quiescence()
        road.source.refuse()

        await road.end()

        assert road.source.committed == {}
        assert set(road.offsets.partitions) == set()


async def test_after_an_end_everything_unfinished_comes_again() -> None:
    """From the mark, in a new assignment, and nothing of the old one stands in the way."""
    async with open_road(measures=Measures(slots=1, drain_seconds=3)) as road:
        road.source.publish(*records("a", "b", "a", "c"))
        road.begin(P0)
        road.admit(*records("a", "b", "a", "c"))
        road.tuner.hold("b")
        await road.clock.advance(1)
        end = road.start(road.end())
        await road.clock.advance(3)
        assert end.done()
        assert road.source.committed == {P0: 1}

        road.tuner.release()
        road.begin(P0)
        road.start(road.intake.run())
        await road.clock.advance(1)

        assert road.tuner.call_ids == ["a", "b", "b", "a", "c"]
        assert road.mark() == 4
        assert (road.room.records, road.slots.in_use) == (0, 0)


async def test_what_is_finished_beyond_an_unfinished_record_does_not_come_again() -> None:
    """Nor is it counted again: who finished it has counted it."""
    async with open_road(measures=Measures(drain_seconds=3)) as road:
        road.source.publish(*records("a", "b", "c", "d", "e"))
        road.begin(P0)
        road.start(road.intake.run())
        road.tuner.hold("b", "d")
        await road.clock.advance(1)
        end = road.start(road.end())
        await road.clock.advance(3)
        assert end.done()
        assert (road.source.committed, road.source.told(P0)) == ({P0: 1}, [2, 4])

        road.tuner.release()
        road.begin(P0)
        await road.clock.advance(1)

        assert road.tuner.call_ids == ["a", "b", "c", "d", "e", "b", "d"]
        assert road.finished == [0, 1, 2, 3, 4]
        assert (road.mark(), road.room.records) == (5, 0)


async def test_records_of_another_topic_of_that_name_are_not_taken_for_finished() -> None:
    """It was deleted and made again: what stands at these offsets was never posted."""
    async with open_road() as road:
        stretch = Stretch(1, record("b", 1).timestamp - 1, 3)
        road.source.committed = {P0: 0}
        road.source.metadata = {P0: write(Memo(0, (stretch,)))}
        road.source.publish(*records("a", "b", "c"))

        road.begin(P0)
        road.start(road.intake.run())
        await road.clock.advance(1)

        assert road.tuner.call_ids == ["a", "b", "c"]


async def test_an_end_that_was_cancelled_leaves_no_partition_to_the_next_assignment() -> None:
    """Who gives up on us in the middle has given the partition to somebody else by then."""
    async with open_road() as road:
        road.begin(P0)
        road.tuner.hold()
        road.admit(record("a"))
        await quiescence()
        end = road.start(road.end())
        await quiescence()
        end.cancel()
        await quiescence()

        road.begin(P1)

        assert set(road.offsets.partitions) == {P1}
