"""Cancelled at any await of the road, nothing is settled that is not safe, and nobody else suffers.

The awaits are found by running: at the first suspension of any hand, at the second, and so on,
until the run ends without reaching it; each as the task falls asleep, and as it wakes up.
"""

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from fake_clock import quiescence
from fakes import CREATED, FakeTuner
from flow.cut import Cut, Moment
from flow.road import (
    BROKEN,
    FORBIDDEN,
    P0,
    REFUSAL,
    TIMEOUT,
    UNAUTHORIZED,
    Measures,
    Road,
    busy_for,
    open_road,
    records,
)

from ingestor.core.answer import Answer
from ingestor.core.guard import Limits
from ingestor.core.outcome import Dead
from ingestor.core.record import Record

ONE_SLOT = Measures(slots=1)
# So many new calls that fail are an outage.
RUN = 10
# Long enough for every pause and every backoff of a journey.
LONG = 300.0


@dataclass(frozen=True, slots=True)
class Journey:
    """What becomes of the call `cut`: what Tuner answers to it and to those *behind* it in its
    lane, how often its letter is refused, which letters are too many, and how many suspensions
    there are at *least*, of all hands. With *is_down* the server is out of order when it comes.
    """

    name: str
    answers: Sequence[Answer]
    least: int
    refusals: int = 0
    behind: int = 0
    letters: Limits | None = None
    is_down: bool = False

    @property
    def records(self) -> list[Record]:
        """All records: one takes the only slot, or many bring the server down, then comes the call,
        and there are others.
        """
        lane = ["cut"] * (1 + self.behind)
        return records(*self.ahead, *lane, "other", "more", "late")

    @property
    def ahead(self) -> list[str]:
        """Those before it."""
        return [f"ahead {number}" for number in range(RUN if self.is_down else 1)]


JOURNEYS = [
    Journey("accepted", [CREATED], least=4),
    Journey("refused", [REFUSAL], least=5),
    Journey("try again", [BROKEN, TIMEOUT, CREATED], least=6),
    Journey("rest", [busy_for(30), CREATED], least=10),
    Journey("hold", [UNAUTHORIZED, UNAUTHORIZED, CREATED], least=11),
    Journey("two holds", [UNAUTHORIZED, FORBIDDEN, CREATED], least=11),
    Journey("letter refused", [REFUSAL], least=9, refusals=2),
    Journey("letter held", [REFUSAL, REFUSAL, CREATED], least=8, letters=Limits(1, 0.01)),
    Journey("after an outage", [CREATED], least=36, is_down=True),
    Journey("in an outage", [BROKEN, TIMEOUT, UNAUTHORIZED, CREATED], least=42, is_down=True),
    Journey("in a lane", [CREATED, BROKEN, CREATED], least=6, behind=1),
]

everywhere = pytest.mark.parametrize(
    ("journey", "moment"),
    list(itertools.product(JOURNEYS, Moment)),
    ids=lambda it: it.name.lower(),
)


def look(road: Road) -> None:
    """Check that whatever is settled is safe, and that the mark has not passed what is not."""
    dead = {record.offset for record, outcome in road.observer.endings if isinstance(outcome, Dead)}
    settled = {record.offset for record, _ in road.observer.endings}
    letters = {dict(letter.headers)["ingestor-offset"] for letter in road.letters.sent}
    assert {str(offset).encode() for offset in dead} <= letters
    posted = [call_id(record) for record, _ in road.observer.endings if record.offset not in dead]
    assert Counter(posted) <= Counter(road.tuner.stored)
    assert settled.issuperset(range(road.mark()))


def call_id(record: Record) -> str:
    """Read the call_id of *record*."""
    return str(json.loads(record.value or b"")["call_id"])


async def travel(journey: Journey, cut: Cut) -> None:
    """Make a journey, with whoever carries cut somewhere, and see what is left."""
    down = {name: [BROKEN] for name in journey.ahead if journey.is_down}
    tuner = FakeTuner({"cut": journey.answers, **down})
    measures = replace(ONE_SLOT, letters=journey.letters)
    async with open_road(tuner, measures, wrap=cut) as road:
        road.letters.refuse(journey.refusals)
        road.begin(P0)
        at = len(journey.ahead)
        road.admit(*journey.records[:at])
        *others, late = journey.records[at:]
        if journey.is_down:
            await road.clock.advance(0)
            assert road.observer.holds
        cut.is_armed = True
        road.admit(*others)
        await road.clock.advance(LONG)
        cut.is_armed = False
        look(road)
        assert road.slots.in_use == 0

        road.admit(late)
        await road.clock.advance(LONG)
        look(road)
        assert "late" in tuner.stored, "another one passes, whatever was held"
        assert len(road.observer.holds) == len(road.observer.lifts)

        assert await road.pipeline.drain(20) == 0
        assert (road.room.records, road.room.bytes) == (0, 0)
        road.begin(P0)
        road.admit(*journey.records)
        await road.clock.advance(LONG)
        look(road)
        assert road.mark() == len(journey.records)
        assert (road.room.records, road.slots.in_use) == (0, 0)


@everywhere
async def test_a_record_cut_anywhere_leaves_nothing_unsafe_behind(
    journey: Journey, moment: Moment
) -> None:
    """The others go on, no slot and no probe is lost, and it is carried when it comes again."""
    for at in itertools.count(1):
        cut = Cut(at, moment, is_armed=False)
        await travel(journey, cut)
        if not cut.is_reached:
            break

    assert at > journey.least


@pytest.mark.parametrize("moment", Moment)
async def test_an_end_cut_anywhere_does_not_stand_in_the_way_of_the_next_assignment(
    moment: Moment,
) -> None:
    """A lost group member is given up in the middle of whatever it was doing."""
    for at in itertools.count(1):
        cut = Cut(at, moment)
        async with open_road(measures=ONE_SLOT) as road:
            road.begin(P0)
            road.tuner.hold()
            road.admit(*records("a", "b", "b"))
            await quiescence()
            end = road.start(cut.drive(road.end()))
            await road.clock.advance(10)
            road.tuner.release()
            await road.clock.advance(10)
            assert end.done()

            road.begin(P0)
            road.admit(*records("a", "b", "b"))
            await road.clock.advance(LONG)
            assert road.mark() == 3
            assert (road.room.records, road.slots.in_use) == (0, 0)
            await road.end()
            assert road.source.committed == {P0: 3}
        if not cut.is_reached:
            break

    assert at > 2
