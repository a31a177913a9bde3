"""What the garbage collector is told."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from system.waiting import eventually

from ingestor.devkit.fake_tuner.background import background
from ingestor.edge.collector import YOUNGEST, relax, sweep


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Knot:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_a_room_full_of_records_is_not_looked_at_again_and_again() -> None:
    """As many objects as wait at a time do not bring the collector out."""
    relax()
    before = gc.get_stats()[0]["collections"]

    waiting = [[number] for number in range(YOUNGEST // 2)]

    assert len(waiting) == YOUNGEST // 2
    assert gc.get_stats()[0]["collections"] == before


def test_what_was_there_at_the_start_is_left_alone() -> None:
    """The modules are not searched for garbage at every full collection."""
    relax()

    assert gc.get_freeze_count() > 10_000


def test_cycles_are_still_found() -> None:
    """Garbage that refers to itself goes away when there is much of it."""
    relax()
    before = gc.get_stats()[0]["collected"]

    for _ in range(2 * YOUNGEST):
        Knot()

    assert gc.get_stats()[0]["collected"] > before


async def test_a_little_garbage_goes_away_in_time() -> None:
    """A client that was lost is one cycle, which holds all that it had read."""
    relax()
    lost = weakref.ref(Knot())

    async with background() as tasks:
        tasks.start(sweep(0.01))
        await eventually(lambda: lost() is None)
