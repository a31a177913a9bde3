"""A bug outside of the pure steps ends the service, with the offset of its record uncommitted."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fakes import FakeLetters, FakeTuner
from flow.road import P0, P1, REFUSAL, Road, open_road, record

from ingestor.app import IS_COMPILED
from ingestor.core.answer import Answer
from ingestor.core.letter import Letter, NotWritten
from ingestor.core.offsets import Claim, Offsets
from ingestor.core.record import Record
from ingestor.core.route import Route


class BugError(Exception):
    """What nobody foresaw."""


class BuggyTuner(FakeTuner):
    """A wire with a bug that the call `bad` wakes."""

    async def post(self, body: bytes, route: Route) -> Answer:
        """Raise, or post."""
        if b'"bad"' in body:
            raise BugError
        return await super().post(body, route)


class BuggyLetters(FakeLetters):
    """A dead-letter topic with a bug."""

    async def write(self, _letter: Letter) -> NotWritten | None:
        """Raise."""
        raise BugError


def buggy_offsets() -> Offsets:
    """Make offsets with a bug in what settles the first partition."""

    class BuggyClaim(Claim):
        def settle(self) -> bool:
            raise BugError

    class BuggyOffsets(Offsets):
        def claim(self, record: Record, now: float) -> Claim | None:
            claim = super().claim(record, now)
            if record.origin == P0:
                return BuggyClaim(record.offset, record.timestamp, now, self.ledgers()[P0])
            return claim

    return BuggyOffsets()


@pytest.mark.parametrize(
    "bug",
    [
        pytest.param(lambda: {"tuner": BuggyTuner()}, id="deliver"),
        pytest.param(
            lambda: {"tuner": FakeTuner({"bad": [REFUSAL]}), "letters": BuggyLetters()}, id="letter"
        ),
        pytest.param(
            lambda: {"offsets": buggy_offsets()},
            id="settle",
            marks=pytest.mark.skipif(
                IS_COMPILED, reason="nothing can be derived from a compiled class to have a bug"
            ),
        ),
    ],
)
async def test_a_bug_ends_the_service_and_nothing_of_its_record_is_committed(
    bug: Callable[[], Mapping[str, Any]],
) -> None:
    """Whoever starts it again reads the record again; what was finished before stays so."""
    parts = bug()
    roads: list[Road] = []

    async def serve() -> None:
        async with open_road(**parts) as road:
            roads.append(road)
            road.begin(P0, P1)
            road.start(road.committer.run())
            road.tuner.hold("slow")
            road.admit(record("good", partition=1), record("slow", 1, partition=1))
            await road.clock.advance(1)
            road.admit(record("bad"))
            await road.clock.advance(60)

    with pytest.raises(ExceptionGroup) as caught:
        await serve()

    (road,) = roads
    assert caught.group_contains(BugError)
    assert len(caught.value.exceptions) == 1
    assert road.source.committed == {P1: 1}
    assert road.mark(P0) == 0
    assert road.mark(P1) == 1, "what was on the wire was cut off, and comes again"
    assert road.slots.in_use == 0
