"""The laws of chaos find what they are for, and excuse only what cannot be helped."""

from collections.abc import Mapping, Sequence
from math import inf

import pytest
from kafka.cluster import Committed
from system.chaos.evidence import Evidence, Incident, Kind, Reading, Request
from system.chaos.laws import (
    AWAKE_WITHIN,
    COMMITTED_WITHIN,
    RECOVERED_WITHIN,
    commits_never_go_back,
    hardly_anything_twice,
    no_letter_too_many,
    nothing_is_lost,
    nothing_is_made_up,
    one_at_a_time,
    order_is_kept,
    violations,
    what_is_committed_is_done,
)
from system.chaos.load import Event, Origin
from system.chaos.plan import TUNER_SECONDS
from system.chaos.proxy import Link

from ingestor.core.memo import Memo, Stretch, write
from ingestor.devkit.fake_tuner import Entry
from ingestor.devkit.sample_calls import Outcome

GOOD = Event("good", Outcome.DELIVERED, None, "a", None)
BAD = Event("malformed", Outcome.DEAD, "malformed", None, None)
NOTHING = Event("tombstone", Outcome.IGNORED, None, None, None)


def request(
    arrived: float,
    *,
    answered: float | None = None,
    slot: int = 0,
    status: int | None = 201,
    fault: str | None = None,
    is_accepted: bool = True,
    link: Link | None = None,
) -> Request:
    """Build a request that was accepted after a tenth of a second, and heard to be."""
    end = arrived + 0.1 if answered is None else answered
    entry = Entry(int(arrived * 100), arrived, "POST", "/", status=status, fault=fault)
    entry.answered, entry.stored = end, is_accepted
    return Request(entry, slot, Link(0.0) if link is None else link)


def seen(
    requests: Mapping[Origin, Sequence[Request]],
    *incidents: Incident,
    events: dict[Origin, Event] | None = None,
    letters: Sequence[tuple[Origin, str]] = (),
) -> Evidence:
    """Build evidence: every origin among *requests* is a good event of the same call."""
    found = Evidence(0.0, events=events or dict.fromkeys(requests, GOOD))
    found.requests, found.incidents, found.letters = requests, list(incidents), list(letters)
    return found


def incident(
    kind: Kind, began: float, ended: float | None = None, slot: int | None = 0
) -> Incident:
    """Build an incident, of an instant unless told."""
    return Incident(kind, slot, "", began, began if ended is None else ended)


def at(offset: int, metadata: str = "") -> Committed:
    """Build a commit."""
    return Committed(offset, metadata)


def test_a_run_without_trouble_breaks_no_law() -> None:
    """Three events of a call one after the other, a letter, and something ignored."""
    events = {(0, 0): GOOD, (0, 1): GOOD, (0, 2): BAD, (0, 3): NOTHING, (0, 4): GOOD}
    requests = {(0, 0): [request(1)], (0, 1): [request(2)], (0, 4): [request(3)]}

    assert violations(seen(requests, events=events, letters=[((0, 2), "malformed")])) == []


@pytest.mark.parametrize("requests", [[], [request(1, is_accepted=False, status=503)]])
def test_a_good_event_that_nobody_accepted_is_lost(requests: list[Request]) -> None:
    """An attempt is not enough."""
    (lost,) = nothing_is_lost(seen({(0, 7): requests}))

    assert lost.origins == ((0, 7),)


def test_a_bad_event_without_a_letter_is_lost() -> None:
    """What cannot be posted has to be somewhere."""
    (lost,) = nothing_is_lost(seen({}, events={(0, 7): BAD}))

    assert lost.origins == ((0, 7),)


@pytest.mark.parametrize(
    ("event", "reason"), [(GOOD, "exhausted"), (BAD, "internal"), (NOTHING, "malformed")]
)
def test_a_letter_that_should_not_be_is_found(event: Event, reason: str) -> None:
    """A good event must not die, nor a bad one of something else."""
    found = seen({}, events={(0, 7): event}, letters=[((0, 7), reason)])

    assert [violation.origins for violation in no_letter_too_many(found)] == [((0, 7),)]


def test_what_nobody_published_must_not_be_posted() -> None:
    """Nor what is to be ignored."""
    found = seen({(0, 1): [request(1)]}, events={(0, 1): NOTHING})
    found.strays = [Entry(1, 0.0, "POST", "/", call_id="x")]

    assert len(list(nothing_is_made_up(found))) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([request(2)], [request(1)]),
        ([request(1, answered=3)], [request(2)]),
        ([request(1, is_accepted=False), request(4)], [request(2)]),
        ([], [request(2)]),
    ],
)
def test_an_event_before_the_one_ahead_of_it_was_accepted_breaks_the_order(
    first: list[Request], second: list[Request]
) -> None:
    """Whatever was killed: there is no excuse."""
    found = seen({(0, 0): first, (0, 1): second}, incident(Kind.KILL, 2.0, slot=None))

    assert [violation.origins for violation in order_is_kept(found)] == [((0, 0), (0, 1))]


def test_events_that_come_again_are_in_order() -> None:
    """From an earlier one on, all of them."""
    found = seen({(0, 0): [request(1), request(3)], (0, 1): [request(2), request(4)]})

    assert list(order_is_kept(found)) == []


OVERLAP: Mapping[Origin, Sequence[Request]] = {(0, 0): [request(1, answered=3), request(2, slot=1)]}


@pytest.mark.parametrize(
    "excuse",
    [
        incident(Kind.KILL, 1.5),
        incident(Kind.FREEZE, 1.5, 2.5),
        incident(Kind.KAFKA, 1.5, 2.5, slot=None),
        incident(Kind.FREEZE, 0.5, 2.5, slot=1),
    ],
)
def test_requests_overlap_only_where_a_service_was_struck(excuse: Incident) -> None:
    """Not because of what happened to others, or before, or after."""
    others = Incident(excuse.kind, 3, "", excuse.began, excuse.ended)
    before = Incident(excuse.kind, excuse.slot, "", -9.0, -8.0)
    after = Incident(excuse.kind, excuse.slot, "", 5.0, 6.0)

    assert list(one_at_a_time(seen(OVERLAP, excuse))) == []
    for no_excuse in (before, after, *(() if excuse.slot is None else (others,))):
        assert len(list(one_at_a_time(seen(OVERLAP, no_excuse)))) == 1


def test_a_request_is_over_when_its_client_has_left() -> None:
    """Tuner may still be at work on it; the service has given up."""
    left = Link(0.0, left=1.5)
    found = {(0, 0): [request(1, answered=3, link=left), request(2)]}

    assert list(one_at_a_time(seen(found))) == []


def test_requests_of_different_calls_may_overlap() -> None:
    """Only those of one call wait for each other."""
    events = {(0, 0): GOOD, (0, 1): Event("good", Outcome.DELIVERED, None, "b", None)}
    found = {(0, 0): [request(1, answered=3)], (0, 1): [request(2)]}

    assert list(one_at_a_time(seen(found, events=events))) == []


AFTER = 1.0
TWICE: Mapping[Origin, Sequence[Request]] = {(0, 0): [request(10), request(30, slot=1)]}


@pytest.mark.parametrize(
    ("kind", "began", "is_excused"),
    [
        (Kind.KILL, 10.0 - AFTER, False),  # what runs there now is another
        (Kind.KILL, 10.1, True),
        (Kind.KILL, 10.1 + COMMITTED_WITHIN - 0.1, True),
        (Kind.KILL, 10.1 + COMMITTED_WITHIN + 0.1, False),
        (Kind.FREEZE, 10.0 - RECOVERED_WITHIN, False),
        (Kind.FREEZE, 10.0 - AFTER, True),
        (Kind.FREEZE, 10.1 + COMMITTED_WITHIN - 0.1, True),
        (Kind.KAFKA, 10.0 - AFTER, True),
        (Kind.KAFKA, 10.1 + COMMITTED_WITHIN + 0.1, False),
    ],
)
def test_what_was_heard_is_posted_again_only_if_it_was_in_flight(
    kind: Kind, began: float, *, is_excused: bool
) -> None:
    """Heard so shortly before that no commit can have said so, or until commits worked again."""
    found = list(hardly_anything_twice(seen(TWICE, incident(kind, began))))

    assert (found == []) == is_excused


@pytest.mark.parametrize("kind", [Kind.STOP, Kind.TUNER, Kind.ANSWERS])
def test_what_needs_no_repetition_excuses_none(kind: Kind) -> None:
    """Whoever leaves in order commits first; what Tuner does has nothing to do with commits."""
    assert len(list(hardly_anything_twice(seen(TWICE, incident(kind, 10.2, 20.0))))) == 1


def test_a_service_that_wakes_up_may_send_what_it_had_for_a_moment() -> None:
    """And then it has to know that it is no longer a member."""
    freeze = incident(Kind.FREEZE, 5.0, 20.0, slot=1)
    soon = {(0, 0): [request(10), request(20 + AWAKE_WITHIN / 2, slot=1)]}
    late = {(0, 0): [request(10), request(20 + AWAKE_WITHIN * 2, slot=1)]}

    assert list(hardly_anything_twice(seen(soon, freeze))) == []
    assert len(list(hardly_anything_twice(seen(late, freeze)))) == 1


def test_what_came_late_because_the_tests_had_no_time_may_not_have_been_heard() -> None:
    """The service may have given it up before it arrived here."""
    starved = Incident(Kind.STARVED, None, "", 9.0, 9.8)

    assert list(hardly_anything_twice(seen(TWICE, starved))) == []


@pytest.mark.parametrize(
    "unheard",
    [
        request(10, fault="reset", status=None),
        request(10, fault="truncate"),
        request(10, status=503),
        request(10, link=Link(0.0, left=10.2)),
        request(10, answered=10.1 + TUNER_SECONDS / 2),
        request(10, link=Link(0.0, disturbed=[(10.0, 10.3)])),
    ],
)
def test_what_was_not_heard_has_to_be_posted_again(unheard: Request) -> None:
    """The service cannot know that Tuner has it."""
    assert list(hardly_anything_twice(seen({(0, 0): [unheard, request(30)]}))) == []


MEMO = write(Memo(1, (Stretch(3, 1, 5),)))


@pytest.mark.parametrize(
    ("offset", "is_covered"), [(0, True), (1, False), (2, False), (3, True), (4, True), (5, False)]
)
def test_what_a_commit_covers_must_not_be_posted_any_more(offset: int, *, is_covered: bool) -> None:
    """By its offset, or by the memo in its metadata."""
    found = seen({(0, offset): [request(1), request(3)]})
    found.readings = [Reading(2, 2, {0: at(1, MEMO)})]

    assert len(list(what_is_committed_is_done(found))) == is_covered


def test_what_is_on_the_wire_when_it_is_committed_may_still_arrive() -> None:
    """A service that woke up had it before, and a network can hold it back."""
    woken, held_back = incident(Kind.FREEZE, 1.0, 2.5), Link(0.0, disturbed=[(1.0, 2.9)])
    for requests, incidents in (
        ([request(3)], [woken]),
        ([request(3, link=held_back)], []),
    ):
        found = seen({(0, 0): requests}, *incidents)
        found.readings = [Reading(2, 2, {0: at(1)})]
        assert list(what_is_committed_is_done(found)) == []


def test_a_commit_that_goes_back_is_found() -> None:
    """By partition; others, and those that are not there yet, have nothing to do with it."""
    found = seen({})
    found.readings = [
        Reading(1, 1, {0: at(5), 1: at(7)}),
        Reading(2, 2, {0: at(4), 1: at(7), 2: at(1)}),
        Reading(3, inf, {0: at(6), 1: at(8), 2: at(1)}),
    ]

    assert [violation.how for violation in commits_never_go_back(found)] == [
        "partition 0 from 5 to 4"
    ]
