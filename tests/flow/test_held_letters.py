"""While nearly everything dies, letters wait: none is lost, and none has to be."""

import json
from collections.abc import Callable
from math import inf

import pytest
from fake_clock import FakeClock, quiescence
from fakes import CREATED, FakeTuner, Posted
from flow.road import P0, REFUSAL, Measures, Road, open_road, record, records

from ingestor.core.answer import Answer
from ingestor.core.guard import Limits
from ingestor.core.outcome import Dead, Reason
from ingestor.core.record import Record
from ingestor.core.route import Route
from ingestor.flow.held_letters import FIRST_PAUSE, GRACE, LONGEST_PAUSE

FIVE = Measures(letters=Limits(5, 0.5))
AGENT = "route default@https://tuner.test, workspace 7, agent front-desk"
NIGHT = "route default@https://tuner.test, workspace 7, agent night-desk"


class Agents:
    """A Tuner that knows some agents: it refuses the calls of all *unknown* ones."""

    def __init__(self, *unknown: str) -> None:
        self.unknown = set(unknown)

    def __call__(self, posted: Posted) -> Answer:
        """Answer."""
        return REFUSAL if posted.route.agent in self.unknown else CREATED


def calls(count: int, *, agent: str | None = None, start: int = 0) -> list[Record]:
    """Make records of different calls, for *agent* or the one of the settings."""
    return [record(f"c{n}", n, agent=agent) for n in range(start, start + count)]


def garbage(count: int, start: int = 0) -> list[Record]:
    """Make records that nobody can read."""
    return [record(offset=n, value=b"{") for n in range(start, start + count)]


async def test_only_a_few_letters_leave_and_the_rest_waits() -> None:
    """The records stay unfinished, in the room; the mark does not move past them."""
    async with open_road(FakeTuner(answer=Agents("front-desk")), FIVE) as road:
        road.begin()
        road.admit(*calls(200))
        await road.clock.advance(600)

        assert len(road.letters.tried) == 4
        assert len(road.finished) == 4
        assert road.room.records == 196


async def test_what_is_wrong_and_what_to_do_is_told() -> None:
    """Once it has lasted, and every minute; both the route and all of them together."""
    async with open_road(FakeTuner(answer=Agents("front-desk")), FIVE) as road:
        road.start(road.notices.run())
        road.begin()
        road.admit(*calls(50))
        await road.clock.advance(GRACE)

        told = {notice.matter.what: notice for notice in road.observer.notices}
        assert set(told) == {AGENT, "every route"}
        assert told[AGENT].cause == "refused (422)"
        assert told[AGENT].waiting == 46
        assert "SIGHUP" in told[AGENT].remedy

        await road.clock.advance(60)
        assert [len(notices) for notices in road.observer.reminders] == [2]


async def test_a_probe_that_is_accepted_lets_all_be_tried_again() -> None:
    """Somebody made the agent: every call that waited is delivered, and none is a letter."""
    agents = Agents("front-desk")
    async with open_road(FakeTuner(answer=agents), FIVE) as road:
        road.begin()
        road.admit(*calls(100))
        await road.clock.advance(100)
        agents.unknown.clear()

        await road.clock.advance(LONGEST_PAUSE)

        assert len(road.letters.sent) == 4
        assert len(road.tuner.stored) == 96
        assert road.mark() == 100
        assert set(road.observer.lifts) == {AGENT, "every route"}


async def test_probes_come_one_at_a_time_with_growing_pauses_each_with_another_call() -> None:
    """One call that will always be refused must not stand for all the others."""
    async with open_road(FakeTuner(answer=Agents("front-desk")), FIVE) as road:
        road.begin()
        road.admit(*calls(40))
        await quiescence()
        assert len(road.tuner.received) == 40

        times: list[float] = []
        before = 40
        while len(times) < 9:
            due = road.clock.next_due
            assert due is not None
            await road.clock.advance(due - road.clock.now())
            if len(road.tuner.received) > before:
                times.append(road.clock.now() - 1_000)
                before = len(road.tuner.received)

        assert times == [1, 3, 7, 15, 31, 63, 123, 183, 243]
        probing = road.tuner.call_ids[40:]
        assert len(set(probing)) == len(probing)
        assert road.tuner.most_under_way <= 64


async def test_another_routes_calls_and_letters_go_on() -> None:
    """One wrong agent holds nobody else's letters."""
    tuner = FakeTuner({"bad": [REFUSAL]}, answer=Agents("night-desk"))
    async with open_road(tuner, FIVE) as road:
        road.begin()
        for start in range(0, 120, 6):
            road.admit(*calls(1, agent="night-desk", start=start), *calls(5, start=start + 1))
            await quiescence()
        road.admit(record("bad", 120))
        await quiescence()

        assert len(road.letters.sent) == 4 + 1
        assert len(road.finished) == 100 + 4 + 1
        await road.clock.advance(GRACE)
        assert [notice.matter.what for notice in road.observer.notices] == [NIGHT]


async def test_enough_that_succeed_end_the_hold() -> None:
    """Those that wait are tried again: they may have died of the same fault."""
    agents = Agents("front-desk")
    async with open_road(FakeTuner(answer=agents), FIVE) as road:
        road.begin()
        road.admit(*calls(10))
        await quiescence()
        agents.unknown.clear()
        road.admit(*calls(11, start=10))
        await quiescence()

        assert road.mark() == 21
        assert len(road.letters.sent) == 4


async def test_a_hold_of_a_moment_is_not_told() -> None:
    """Bad calls may be answered sooner than the good ones beside them."""
    tuner = FakeTuner(answer=lambda posted: REFUSAL if posted.call_id[0] == "x" else CREATED)
    async with open_road(tuner, FIVE) as road:
        road.begin()
        tuner.hold(*(f"c{n}" for n in range(12)))
        road.admit(*calls(12), *(record(f"x{n}", 12 + n) for n in range(5)))
        await road.clock.advance(0.2)
        assert len(road.letters.sent) == 4

        tuner.release()
        await quiescence()

        assert road.mark() == 17
        assert (road.observer.notices, road.observer.lifts) == ([], [])


class SlowTuner(FakeTuner):
    """A Tuner that refuses some calls, and sooner than it accepts the others."""

    def __init__(self, bad: frozenset[str], clock: Callable[[], FakeClock]) -> None:
        super().__init__(answer=lambda posted: REFUSAL if posted.call_id in bad else CREATED)
        self._bad = bad
        self._clock = clock

    async def post(self, body: bytes, route: Route) -> Answer:
        """Take some time."""
        is_bad = json.loads(body)["call_id"] in self._bad
        await self._clock().sleep(0.005 if is_bad else 0.2)
        return await super().post(body, route)


async def test_a_backlog_with_a_few_bad_events_flows() -> None:
    """One in twenty is refused, sooner than the others are accepted, and another one cannot be
    read: nothing is ever told, and everything ends.
    """
    roads: list[Road] = []
    tuner = SlowTuner(frozenset(f"c{n}" for n in range(0, 1_200, 20)), lambda: roads[0].clock)
    measures = Measures(slots=512, letters=Limits(20, 0.5))
    async with open_road(tuner, measures) as road:
        roads.append(road)
        road.begin()
        batch = calls(1_200)
        batch[10::20] = [record(offset=n, value=b"{") for n in range(10, 1_200, 20)]
        road.admit(*batch)
        await road.clock.advance(5)

        assert road.mark() == 1_200
        assert len(road.letters.sent) == 120
        assert road.observer.notices == []


async def test_calls_that_wait_and_are_bad_indeed_become_letters() -> None:
    """When others pass the hold is over; that the bad ones die again together is no new one."""
    tuner = FakeTuner(answer=lambda posted: REFUSAL if posted.call_id[0] == "x" else CREATED)
    async with open_road(tuner, FIVE) as road:
        road.begin()
        road.admit(*(record(f"x{n}", n) for n in range(12)))
        await quiescence()
        assert len(road.letters.sent) == 4

        road.admit(*calls(30, start=12))
        await quiescence()

        assert road.mark() == 42
        assert len(road.letters.sent) == 12


async def test_calls_that_die_again_are_held_again() -> None:
    """One call passed by chance, or half of the fault was mended: the rest is not let out."""
    agents = Agents("front-desk")
    async with open_road(FakeTuner({"c4": [REFUSAL, CREATED]}, answer=agents), FIVE) as road:
        road.begin()
        road.admit(*calls(100))
        await road.clock.advance(30)

        assert road.tuner.stored == ["c4"]
        assert len(road.letters.sent) == 8
        assert road.room.records == 91


async def test_the_order_of_a_call_survives_a_hold() -> None:
    """What follows a held call waits behind it, and is posted after it."""
    agents = Agents("front-desk")
    tuner = FakeTuner(answer=agents)
    async with open_road(tuner, FIVE) as road:
        road.begin()
        road.admit(*calls(5), *records("x", "x"))
        road.admit(record("y", 5), record("y", 6, agent="other"))
        await road.clock.advance(10)
        agents.unknown.clear()
        await road.clock.advance(60)

        posted = [it.route.agent for it in tuner.received if it.call_id == "y"]
        assert posted[-1] == "other"
        assert "other" not in posted[:-1]
        assert road.mark() == 7


async def test_what_cannot_be_read_waits_until_others_can() -> None:
    """It is not tried again: it would be read the same way. Its letter is written then."""
    async with open_road(measures=FIVE) as road:
        road.begin()
        road.admit(*garbage(10))
        await road.clock.advance(300)
        assert len(road.letters.sent) == 4
        assert [notice.matter.what for notice in road.observer.notices][:1] == ["topic calls"]
        assert road.observer.notices[0].cause == "malformed"

        road.admit(*calls(1, start=10))
        await quiescence()

        assert len(road.letters.sent) == 10
        assert road.mark() == 11
        assert road.observer.lifts == ["topic calls"]


@pytest.mark.parametrize("reason", [Reason.UNREADABLE, Reason.SKIPPED])
async def test_what_a_damaged_log_has_lost_neither_holds_nor_is_held(reason: Reason) -> None:
    """Whoever deploys what: it stays lost, and its letter says which offsets."""
    async with open_road(measures=FIVE) as road:
        for _ in range(50):
            assert not road.held_letters.note_unread(Dead(reason, "offsets 1 to 2"), "calls")

        for _ in range(5):
            road.held_letters.note_unread(Dead(Reason.MALFORMED, "must be JSON"), "calls")
        assert not road.held_letters.note_unread(Dead(reason, "offsets 1 to 2"), "calls")


async def test_a_signal_has_the_letters_written_that_wait() -> None:
    """Somebody looked at them, and wants them: no call is posted for it. Then all begins anew."""
    async with open_road(FakeTuner(answer=Agents("front-desk")), FIVE) as road:
        road.begin()
        road.admit(*calls(50))
        await quiescence()

        road.held_letters.release()
        await quiescence()

        assert len(road.letters.sent) == 50
        assert len(road.tuner.received) == 50
        assert road.mark() == 50
        assert ("letters_let_go", {"count": 46}) in road.observer.changes

        road.admit(*calls(50, start=50))
        await quiescence()
        assert len(road.letters.sent) == 54


async def test_a_signal_without_a_hold_does_nothing() -> None:
    """But says so."""
    async with open_road(measures=FIVE) as road:
        road.held_letters.release()

        assert road.observer.changes == [("letters_let_go", {"count": 0})]


async def test_without_limits_every_letter_is_written() -> None:
    """The guard can be turned off."""
    async with open_road(FakeTuner(answer=Agents("front-desk"))) as road:
        road.begin()
        road.admit(*calls(100), *garbage(100, 100))
        await quiescence()

        assert len(road.letters.sent) == 200


async def drained(road: Road, seconds: float = 20) -> int:
    """Drain, and tell how long it took in seconds."""
    began = road.clock.now()
    drain = road.start(road.pipeline.drain(seconds))
    await road.clock.advance_until(drain.done)
    assert drain.result() == 0
    return int(road.clock.now() - began)


async def test_a_drain_leaves_what_is_held() -> None:
    """At once; the records come again, and with them the hold, which goes on to be probed."""
    agents = Agents("front-desk")
    async with open_road(FakeTuner(answer=agents), FIVE) as road:
        road.begin()
        road.admit(*calls(30))
        await road.clock.advance(10)

        assert await drained(road) == 0
        await road.clock.advance(120)
        assert (len(road.letters.sent), road.room.records) == (4, 0)

        agents.unknown.clear()
        road.begin(P0)
        road.admit(*calls(30))
        await road.clock.advance(60)
        assert road.mark() == 30
        assert len(road.letters.sent) == 4


async def test_a_probe_cut_off_gives_its_turn_to_another() -> None:
    """A hold whose probe is lost must not last for ever."""
    agents = Agents("front-desk")
    tuner = FakeTuner(answer=agents)
    async with open_road(tuner, FIVE) as road:
        road.begin()
        road.admit(*calls(30))
        await quiescence()
        tuner.hold()
        await road.clock.advance(FIRST_PAUSE)
        assert len(tuner.received) == 31
        drain = road.start(road.pipeline.drain(1))
        await road.clock.advance_until(drain.done)
        assert drain.result() == 1, "the probe was on the wire"

        tuner.release()
        road.begin()
        road.admit(*calls(30))
        await quiescence()
        assert road.room.records == 30
        agents.unknown.clear()
        await road.clock.advance(60)

        assert road.mark() == 30


async def test_the_late_answer_to_a_probe_of_an_earlier_hold_is_a_death_like_any_other() -> None:
    """Its hold has ended meanwhile."""
    tuner = FakeTuner({"c4": [REFUSAL, REFUSAL]}, answer=Agents("front-desk"))
    async with open_road(tuner, FIVE) as road:
        road.begin()
        road.admit(*calls(5))
        await quiescence()
        tuner.hold("c4")
        await road.clock.advance(FIRST_PAUSE)
        assert tuner.call_ids[5:] == ["c4"]
        road.held_letters.release()
        tuner.release()
        await quiescence()

        assert len(road.letters.sent) == 5
        assert road.mark() == 5


async def test_a_probe_cut_off_when_its_hold_is_over_leaves_nothing_behind() -> None:
    """There is nobody to give the turn to."""
    tuner = FakeTuner(answer=Agents("front-desk"))
    async with open_road(tuner, FIVE) as road:
        road.begin()
        road.admit(*calls(5))
        await quiescence()
        tuner.hold()
        await road.clock.advance(FIRST_PAUSE)
        road.held_letters.release()
        drain = road.start(road.pipeline.drain(1))
        await road.clock.advance_until(drain.done)

        assert road.clock.next_due == inf, "but for the lease's"
        assert len(road.letters.sent) == 4
