"""Records of one call_id are posted in the order of their offsets, one at a time; others overtake
them.
"""

from collections import defaultdict

from fake_clock import quiescence
from fakes import CREATED, FakeTuner, Posted
from flow.road import (
    BROKEN,
    P0,
    P1,
    REFUSAL,
    TIMEOUT,
    UNAUTHORIZED,
    Measures,
    Road,
    open_road,
    record,
    records,
)
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answer
from ingestor.core.outcome import Dead


def posted_agents(road: Road, call_id: str = "a") -> list[str]:
    """List the agents of the requests for *call_id*: here they tell its records apart."""
    return [it.route.agent for it in road.tuner.received if it.call_id == call_id]


def of_one_call(number: int) -> list[str]:
    """Name the records of one call."""
    return [f"v{it}" for it in range(number)]


async def test_records_of_one_call_go_one_after_the_other() -> None:
    """The later one may be the richer one: it must not be overtaken by the earlier."""
    async with open_road() as road:
        road.begin()
        road.tuner.hold()
        road.admit(*(record("a", at, agent=it) for at, it in enumerate(of_one_call(3))))

        for count in (1, 2, 3):
            await quiescence()
            assert posted_agents(road) == of_one_call(count)
            road.tuner.release()
            road.tuner.hold()
        await quiescence()

        assert road.mark() == 3
        assert road.tuner.most_under_way_of["a"] == 1


async def test_others_overtake() -> None:
    """A lane holds up nobody but itself."""
    async with open_road() as road:
        road.begin()
        road.tuner.hold("a")

        road.admit(*records("a", "a", "b", "c"))
        await quiescence()

        assert road.tuner.call_ids == ["a", "b", "c"]


async def test_a_call_with_many_records_lets_others_go_between_them() -> None:
    """The next one of the call waits for its slot behind all that came before."""
    async with open_road(measures=Measures(slots=1)) as road:
        road.begin()
        road.admit(*records("a", "a", "a", "b", "c"))

        await quiescence()

        assert road.tuner.call_ids == ["a", "b", "c", "a", "a"]


async def test_a_lane_with_a_failing_first_record_keeps_its_order() -> None:
    """The second waits for the first one's outcome, not for its first attempt."""
    async with open_road(FakeTuner({"a": [BROKEN, TIMEOUT, BROKEN]})) as road:
        road.begin()
        road.admit(record("a", 0, agent="v0"), record("a", 1, agent="v1"))

        await road.clock.advance(3_600)

        assert posted_agents(road) == ["v0", "v0", "v0", "v0", "v1"]
        assert road.mark() == 2


async def test_a_record_behind_one_that_dies_goes_when_the_letter_is_written() -> None:
    """Before that the first is not finished; then its death is no reason to hold back the next."""
    async with open_road(FakeTuner({"a": [REFUSAL]})) as road:
        road.begin()
        road.letters.refuse()
        road.admit(record("a", 0, agent="v0"), record("a", 1, agent="v1"))
        await road.clock.advance(60)
        assert posted_agents(road) == ["v0"]

        road.letters.accept()
        await road.clock.advance(30)

        assert posted_agents(road) == ["v0", "v1"]
        assert [isinstance(outcome, Dead) for _, outcome in road.observer.endings] == [True, False]


async def test_a_held_lane_keeps_its_order() -> None:
    """Whichever record probes, the second of a call never goes before the first."""
    script = {"a": [UNAUTHORIZED, UNAUTHORIZED], "b": [UNAUTHORIZED]}
    async with open_road(FakeTuner(script)) as road:
        road.begin()
        road.admit(record("a", 0, agent="v0"), record("a", 1, agent="v1"), record("b", 2))

        await road.clock.advance(60)

        assert posted_agents(road)[-2:] == ["v0", "v1"]
        assert posted_agents(road).count("v1") == 1
        assert road.mark() == 3


async def test_a_call_that_comes_again_later_begins_anew() -> None:
    """Its lane is gone; nobody is in front of it."""
    async with open_road() as road:
        road.begin()
        road.admit(record("a", 0))
        await quiescence()

        road.admit(record("a", 1))
        await quiescence()

        assert road.tuner.call_ids == ["a", "a"]


async def test_one_call_in_two_partitions_goes_one_at_a_time() -> None:
    """In the order in which they were read: between partitions there is no other."""
    async with open_road() as road:
        road.begin(P0, P1)
        road.tuner.hold()
        road.admit(record("a", 0, agent="v0"), record("a", 0, partition=1, agent="v1"))
        await quiescence()
        assert posted_agents(road) == ["v0"]

        road.tuner.release()
        await quiescence()

        assert posted_agents(road) == ["v0", "v1"]


ANSWERS = st.lists(st.sampled_from([CREATED, BROKEN, TIMEOUT, REFUSAL, UNAUTHORIZED]), max_size=30)


@given(calls=st.lists(st.sampled_from("abc"), max_size=12), answers=ANSWERS)
async def test_whatever_tuner_answers_the_order_is_kept(
    calls: list[str], answers: list[Answer]
) -> None:
    """Offsets of one call never go back, one is under way at a time, and all are finished."""
    sent = defaultdict[str, list[int]](list)

    def answer(posted: Posted) -> Answer:
        sent[posted.call_id].append(int(posted.route.agent))
        return answers.pop() if answers else CREATED

    async with open_road(FakeTuner(answer=answer), Measures(slots=2)) as road:
        road.begin(P0)
        road.admit(*(record(it, at, agent=str(at)) for at, it in enumerate(calls)))
        await road.clock.advance_until(lambda: road.mark() == len(calls), most=36_000)

        assert all(offsets == sorted(offsets) for offsets in sent.values())
        assert all(most == 1 for most in road.tuner.most_under_way_of.values())
        assert (road.room.records, road.slots.in_use) == (0, 0)
