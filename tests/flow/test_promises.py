"""What the whole flow promises, whatever Tuner answers and however often partitions come and go."""

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from fakes import CREATED, FakeTuner, Posted
from flow.road import (
    BROKEN,
    FORBIDDEN,
    P0,
    P1,
    REFUSAL,
    TIMEOUT,
    UNAUTHORIZED,
    Measures,
    Road,
    busy_for,
    open_road,
    record,
)
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answer
from ingestor.core.record import Header
from ingestor.flow.room import Bounds

# Hundreds of lives take their time on a busy machine; and what a timeout raises in one of the event
# loop's own callbacks is swallowed there, so that the test would hang.
pytestmark = pytest.mark.timeout(600)

SMALL = Measures(slots=2, room=Bounds(4, 2**20), attempts=2, drain_seconds=3)
ANSWERS = [CREATED, CREATED, REFUSAL, BROKEN, TIMEOUT, UNAUTHORIZED, FORBIDDEN, busy_for(2)]
NO_CALL, TOMBSTONE = "no call", "tombstone"
Event = tuple[float, str]

CALLS = st.lists(st.sampled_from(["a", "b", "c", "d", NO_CALL, TOMBSTONE]), max_size=10)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.2, 1.0, 4.0]),
        st.sampled_from(
            ["rebalance", "swap", "hold", "release", "refuse", "accept", "no commit", "cancel"]
        ),
    ),
    max_size=12,
)


class World:
    """A road, and what becomes of the records that are published to it; each has an agent of its
    own, by which Tuner tells them apart.
    """

    def __init__(self, road: Road, calls: Sequence[str]) -> None:
        self.road = road
        self.stored: set[str] = set()
        # How often a call had been posted, and finished, when the broker knew that it is finished.
        self.known: dict[str, tuple[int, int]] = {}
        values = {NO_CALL: b"no call", TOMBSTONE: None}
        # Every second offset is missing, as after compaction.
        self.records = [
            record(name, at, partition=number, value=values.get(name, b""), agent=f"{number}-{at}")
            for number in (0, 1)
            for at, name in zip(itertools.count(0, 2), calls, strict=False)
        ]
        road.source.publish(*self.records)

    def look(self) -> None:
        """Check that no commit has passed a record that is not safe, that what a commit tells to be
        finished does not come again, and that bounds are kept.
        """
        road = self.road
        letters = {agent_of(letter.headers) for letter in road.letters.sent}
        posted = Counter(posted.route.agent for posted in road.tuner.received)
        ended = Counter(agent_of(record.headers) for record, _ in road.observer.endings)
        told = {partition: {*road.source.told(partition)} for partition in (P0, P1)}
        for each in self.records:
            agent, mark = agent_of(each.headers), road.source.committed.get(each.origin, 0)
            if each.offset < mark or each.offset in told[each.origin]:
                assert each.value is None or agent in self.stored | letters, f"{each} is lost"
                now = posted[agent], ended[agent]
                assert self.known.setdefault(agent, now) == now, f"{each} came again"
        assert road.slots.in_use == road.tuner.under_way.total() <= road.slots.limit
        assert all(most == 1 for most in road.tuner.most_under_way_of.values())
        assert road.source.most_commits_under_way <= 1


def agent_of(headers: Sequence[Header]) -> str:
    """Read the agent that a record names, from its own headers or those of its letter."""
    return (dict(headers)["tuner-agent-id"] or b"").decode()


async def happen(road: Road, kind: str) -> None:
    """Have something happen."""
    match kind:
        case "hold":
            road.tuner.hold()
        case "release" if road.tuner.is_holding:
            road.tuner.release()
        case "refuse":
            road.letters.refuse()
        case "accept":
            road.letters.accept()
        case "no commit":
            road.source.refuse(2)
        case "rebalance" | "swap" | "cancel":
            end = road.start(road.end())
            if kind == "cancel":
                await road.clock.advance(1)
                end.cancel()
            await road.clock.advance_until(end.done)
            road.begin(*((P0,) if kind == "swap" else (P0, P1)))
        case _:
            pass


@given(calls=CALLS, answers=st.lists(st.sampled_from(ANSWERS), max_size=25), events=EVENTS)
async def test_nothing_is_lost_and_all_is_finished_once_the_world_is_well(
    calls: Sequence[str], answers: list[Answer], events: Sequence[Event]
) -> None:
    """A commit never passes a record that is neither stored nor a letter, at no point of time; and
    when all is well again the commits reach the end.
    """

    def answer(posted: Posted) -> Answer:
        given = answers.pop() if answers else CREATED
        if given is CREATED:
            world.stored.add(posted.route.agent)
        return given

    async with open_road(FakeTuner(answer=answer), SMALL) as road:
        world = World(road, calls)
        road.source.most = 3
        road.start(road.intake.run())
        road.start(road.committer.run())
        road.begin(P0, P1)
        for seconds, kind in events:
            await road.clock.advance(seconds)
            world.look()
            await happen(road, kind)
            world.look()

        for kind in ("release", "accept", "rebalance"):
            await happen(road, kind)
        ends = {partition: 2 * len(calls) - 1 for partition in (P0, P1) if calls}
        await road.clock.advance_until(lambda: road.source.committed == ends)
        world.look()
        assert (road.room.records, road.room.bytes) == (0, 0)
        assert len(road.observer.holds) == len(road.observer.lifts)
