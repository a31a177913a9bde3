"""The life of one record: it is finished when its outcome is safe, and not a moment before."""

import pytest
from fake_clock import quiescence
from fakes import CREATED, FakeTuner
from flow.road import (
    BROKEN,
    CONFLICT,
    P0,
    REFUSAL,
    Measures,
    Road,
    body,
    open_road,
    record,
    records,
)
from msgspec.structs import replace

from ingestor.core.decoder import Decoder, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.letter import Letter
from ingestor.core.limiter import START
from ingestor.core.outcome import Dead, Delivered, Duplicate, Ignored, Reason
from ingestor.core.record import Header, Record

PRIVATE = "+15550100"


def said(letter: Letter) -> dict[str, str]:
    """Read the headers of a letter."""
    return {name: (value or b"").decode() for name, value in letter.headers}


def endings(road: Road) -> list[tuple[int, type]]:
    """List offsets and outcomes in the order in which the records were finished."""
    return [(record.offset, type(outcome)) for record, outcome in road.observer.endings]


async def test_an_accepted_call_is_finished() -> None:
    """The good road: read, posted, settled, and out of the room."""
    async with open_road() as road:
        road.begin()

        road.admit(record("a"))
        assert (road.mark(), road.room.records) == (0, 1)
        await quiescence()

        assert road.tuner.received[0].body == body("a")
        assert endings(road) == [(0, Delivered)]
        assert (road.mark(), road.room.records, road.room.bytes) == (1, 0, 0)
        assert road.letters.tried == []


async def test_a_call_that_waits_for_its_next_attempt_has_no_task() -> None:
    """In bad times thousands wait so. When the pause is over it is carried on as what it is: its
    attempts are counted from the first.
    """
    names = [f"{kind} {number}" for number in range(100) for kind in ("good", "fine", "bad")]
    script = {name: [BROKEN, BROKEN, CREATED] for name in names if name.startswith("bad")}
    async with open_road(FakeTuner(script)) as road:
        road.begin()
        road.admit(*records(*names))
        await quiescence()

        assert [task for task in road.yard.started if not task.done()] == []
        assert (len(road.tuner.stored), road.room.records) == (200, 100)
        await road.clock.advance(10)

        assert road.mark() == len(names)
        late = [outcome for _, outcome in road.observer.endings[200:]]
        assert [it.tries.count for it in late if isinstance(it, Delivered)] == [3] * 100


async def test_a_duplicate_is_finished() -> None:
    """Tuner has the call: that is all we want."""
    async with open_road(FakeTuner(answer=lambda _: CONFLICT)) as road:
        road.begin()
        road.admit(record("a"))
        await quiescence()

        assert endings(road) == [(0, Duplicate)]
        assert road.mark() == 1


async def test_an_ignored_record_is_finished_at_once() -> None:
    """A tombstone needs neither Tuner nor a letter, nor a turn of the loop."""
    async with open_road() as road:
        road.begin()

        road.admit(record(value=None))

        assert endings(road) == [(0, Ignored)]
        assert (road.mark(), road.room.records) == (1, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(value=b"not json"), Reason.MALFORMED),
        (record(value=b"{}"), Reason.INVALID),
        (record(workspace="no number"), Reason.NO_ROUTE),
    ],
    ids=["malformed", "invalid", "no_route"],
)
async def test_what_cannot_be_posted_becomes_a_letter(bad: Record, reason: Reason) -> None:
    """The value as it came; the record is finished when the broker has the letter."""
    async with open_road() as road:
        road.begin()
        road.letters.hold()

        road.admit(bad)
        await quiescence()
        assert len(road.letters.tried) == 1
        assert (road.mark(), road.room.records) == (0, 1)
        road.letters.release()
        await quiescence()

        (letter,) = road.letters.sent
        assert letter.value == bad.value
        assert said(letter)["ingestor-reason"] == reason
        assert said(letter)["ingestor-offset"] == "0"
        assert said(letter)["ingestor-version"] == "1.2.3"
        assert endings(road) == [(0, Dead)]
        assert (road.mark(), road.room.records) == (1, 0)
        assert road.tuner.received == []


async def test_a_refused_call_becomes_a_letter_that_names_its_route() -> None:
    """Whoever has to rescue it sees where it should have gone."""
    async with open_road(FakeTuner({"a": [REFUSAL]})) as road:
        road.begin()
        road.admit(record("a", agent="night-desk"))
        await quiescence()

        headers = said(road.letters.sent[0])
        assert headers["ingestor-reason"] == "refused"
        assert headers["ingestor-status"] == "422"
        assert headers["ingestor-call-id"] == "a"
        assert headers["ingestor-workspace-id"] == "7"
        assert headers["ingestor-agent-id"] == "night-desk"
        assert road.mark() == 1


async def test_a_letter_that_cannot_be_written_keeps_its_record_unfinished() -> None:
    """And the mark behind it, however long and whatever is finished meanwhile."""
    async with open_road(FakeTuner({"a": [REFUSAL]})) as road:
        road.begin()
        road.letters.refuse()
        road.admit(*records("a", "b", "c"))

        await road.clock.advance(3_600)
        assert endings(road) == [(1, Delivered), (2, Delivered)]
        assert (road.mark(), road.room.records) == (0, 1)
        road.letters.accept()
        await road.clock.advance(30)

        assert len(road.letters.sent) == 1
        assert road.mark() == 3


class BuggyTypes(EventTypes):
    """Event types with a bug that the type `bad` wakes."""

    def ignore(self, event_type: str | None) -> Ignored | None:
        """Raise what no step of decoding should, with a value in its text."""
        if event_type == "bad":
            raise LookupError(PRIVATE)
        return super().ignore(event_type)


async def test_a_bug_in_decoding_is_the_letter_of_the_record_that_woke_it() -> None:
    """One record must not stop the service for ever; the letter tells where, and no value."""
    types = BuggyTypes(("*",))
    bad, good = records("bad", "b")
    said_of_it: tuple[Header, ...] = (("ce_specversion", b"1.0"), ("ce_type", b"bad"))
    async with open_road(decoder=Decoder(Reading(event_types=types))) as road:
        road.begin()
        road.admit(replace(bad, headers=said_of_it), good)
        await quiescence()

        (letter,) = road.letters.sent
        headers = said(letter)
        assert headers["ingestor-reason"] == "internal"
        assert "LookupError" in headers["ingestor-message"]
        assert "test_pipeline.py" in headers["ingestor-message"]
        assert PRIVATE not in str(headers)
        assert letter.value == body("bad")
        assert road.tuner.call_ids == ["b"]
        assert road.mark() == 2


async def test_a_record_of_a_partition_that_is_not_ours_is_passed_over() -> None:
    """It belongs to somebody else now."""
    async with open_road() as road:
        road.begin(P0)

        road.admit(record("a", partition=1))
        await quiescence()

        assert road.tuner.received == []
        assert road.room.records == 0


async def test_a_record_that_is_in_work_is_not_taken_twice() -> None:
    """A source that rewinds hands out again what it handed out before."""
    async with open_road() as road:
        road.begin(P0)

        road.admit(*records("a", "b"), *records("a", "b", "c"))
        await quiescence()

        assert road.tuner.call_ids == ["a", "b", "c"]
        assert (road.mark(), road.room.records) == (3, 0)


async def test_finished_records_do_not_wait_for_unfinished_ones() -> None:
    """Out of order within a partition; the mark stays at the oldest that is not finished."""
    async with open_road(FakeTuner({"a": [BROKEN]})) as road:
        road.begin(P0)
        road.admit(*records("a", "b", "c"))
        await quiescence()
        assert endings(road) == [(1, Delivered), (2, Delivered)]
        assert road.mark() == 0

        await road.clock.advance(1)

        assert road.mark() == 3


async def test_requests_are_far_more_than_partitions() -> None:
    """One partition fills all slots there are at first, and later all there can be."""
    async with open_road(measures=Measures(slots=32)) as road:
        road.begin(P0)
        road.tuner.hold()

        road.admit(*records(*map(str, range(300))))
        await quiescence()

        assert road.tuner.under_way.total() == START
        road.tuner.release()
        await quiescence()
        assert road.tuner.most_under_way == 32
        assert road.mark() == 300


async def test_each_settlement_is_noted_for_the_next_commit() -> None:
    """A thousand do not wait for the second."""
    async with open_road() as road:
        road.begin(P0)
        road.start(road.committer.run())

        road.admit(*(record(offset=offset, value=None) for offset in range(999)))
        await quiescence()
        assert road.source.tried == []
        road.admit(record(offset=999, value=None))
        await quiescence()

        assert road.source.committed == {P0: 1_000}


async def test_late_results_of_a_void_claim_change_nothing() -> None:
    """The partition came back meanwhile: what counts is the claim of now."""
    async with open_road() as road:
        road.begin(P0)
        road.tuner.hold()
        road.admit(record("a"))
        await quiescence()

        road.offsets.assign(P0, 0)
        road.tuner.release()
        await quiescence()

        assert road.tuner.call_ids == ["a"]
        assert road.mark() == 0
        assert road.observer.endings == []
