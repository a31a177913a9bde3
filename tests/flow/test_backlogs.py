"""How far behind each partition is, counted from its mark, also while it is not being read."""

from fake_clock import FakeClock
from fakes import FakeSource, RecordingObserver
from flow.road import P0, P1, Yard, record, records

from ingestor.core.backlog import Backlog
from ingestor.core.offsets import Offsets
from ingestor.core.record import Partition
from ingestor.flow.backlogs import Backlogs


class Post:
    """Backlogs, and what they look at."""

    def __init__(self, *partitions: Partition) -> None:
        self.clock = FakeClock()
        self.source = FakeSource(self.clock)
        self.offsets = Offsets()
        self.observer = RecordingObserver()
        for name, start in self.source.join(*partitions).items():
            self.offsets.assign(name, start.offset)
        self.backlogs = Backlogs(
            source=self.source, offsets=self.offsets, clock=self.clock, observer=self.observer
        )


async def test_a_backlog_counts_from_the_oldest_unfinished_record_to_the_end() -> None:
    """What is read and not finished is still to be done."""
    post = Post(P0)
    post.source.publish(*records("a", "b", "c", "d"))
    first = post.offsets.claim(record("a", 0), post.clock.now())
    assert first is not None
    await post.clock.advance(5)
    post.offsets.claim(record("b", 1), post.clock.now())
    await post.clock.advance(2)

    await post.backlogs.tell()
    first.settle()
    await post.backlogs.tell()

    assert post.observer.backlogs == [{P0: Backlog(4, 7.0)}, {P0: Backlog(3, 2.0)}]


async def test_a_partition_without_records_in_work_has_no_oldest() -> None:
    """And one that is never read still tells how far it is behind."""
    post = Post(P0, P1)
    post.source.publish(*records("a", "b", partition=1))

    await post.backlogs.tell()

    assert post.observer.backlogs == [{P0: Backlog(0, 0.0), P1: Backlog(2, 0.0)}]


async def test_of_partitions_whose_end_is_unknown_nothing_is_told() -> None:
    """No number is better than a wrong one."""
    post = Post(P0)
    post.source.is_silent = True

    await post.backlogs.tell()

    assert post.observer.backlogs == [{}]


async def test_an_end_below_the_mark_is_no_backlog() -> None:
    """An answer may be older than what was read since."""
    post = Post(P0)
    claim = post.offsets.claim(record("a", 9), 0.0)
    assert claim is not None
    claim.settle()

    await post.backlogs.tell()

    assert post.observer.backlogs == [{P0: Backlog(0, 0.0)}]


async def test_backlogs_are_told_every_ten_seconds() -> None:
    """From the start, for as long as the service runs."""
    async with Yard() as yard:
        post = Post(P0)

        yard.start(post.backlogs.run())
        await post.clock.advance(20)

        assert len(post.observer.backlogs) == 3
