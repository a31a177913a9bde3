"""Letters are held when nearly everything dies, and only then."""

import random

import pytest
from builders import NOW, dead, destination, route
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.guard import (
    EVERY_ROUTE,
    MOST_STREAMS,
    ROW_SECONDS,
    WINDOW,
    Guard,
    Limits,
    Stream,
    cause,
    posting,
    reading,
    remedy,
)
from ingestor.core.outcome import Reason

LIMITS = Limits(20, 0.5)
HERE = posting(route())
THERE = posting(route(agent="back-office"))


def guard(limits: Limits | None = LIMITS) -> Guard:
    """Build a guard that has seen nothing."""
    return Guard(limits)


def die(
    guard: Guard,
    times: int,
    streams: tuple[Stream, ...] = HERE,
    *,
    now: float = NOW,
    why: str = "refused (422)",
) -> list[Stream]:
    """Let records die; return the streams whose hold began."""
    return [begun for _ in range(times) for begun in guard.die(streams, why, now)]


def live(
    guard: Guard, times: int = 1, streams: tuple[Stream, ...] = HERE, *, now: float = NOW
) -> list[Stream]:
    """Let records end well; return the streams whose hold ended."""
    return [lifted for _ in range(times) for lifted in guard.live(streams, now)]


def test_so_many_in_a_row_are_held() -> None:
    """The last of them is the first that waits; a route is held, and with it all routes are."""
    watching = guard()

    assert die(watching, 19) == []
    assert watching.held(HERE) is None

    assert die(watching, 1) == [*HERE]
    assert watching.held(HERE) == HERE[0]


def test_one_that_ends_well_breaks_the_row() -> None:
    """A publisher with a bad day is no reason to stop, as long as others are fine."""
    watching = guard()
    for _ in range(10):
        assert die(watching, 19) == []
        live(watching, 40)

    assert watching.held(HERE) is None


def test_a_large_share_within_a_minute_is_held_without_a_row() -> None:
    """Every third call passes: that is not the others' own fault either."""
    watching = guard()
    held = []
    for _ in range(30):
        held += die(watching, 2)
        live(watching)

    assert held == [*HERE]


def test_a_share_below_the_limit_is_not_held() -> None:
    """Two of five: bad enough, and yet these letters are what the topic is for."""
    watching = guard()
    for _ in range(1_000):
        assert die(watching, 2) == []
        live(watching, 3)


@pytest.mark.parametrize("seed", range(20))
def test_a_backlog_with_a_few_bad_events_is_never_held(seed: int) -> None:
    """However long it is: one in twenty, in the order in which chance puts them."""
    dice = random.Random(seed)
    watching = guard()
    for number in range(20_000):
        now = NOW + number / 1_000
        if dice.random() < 0.05:
            assert die(watching, 1, now=now) == []
        else:
            assert live(watching, now=now) == []


def test_a_few_deaths_among_idle_hours_are_not_held() -> None:
    """One an hour, and nothing else for days: nobody is emptying a topic."""
    watching = guard()

    assert [it for hour in range(500) for it in die(watching, 1, now=NOW + 3_600.0 * hour)] == []


def test_a_row_counts_however_slowly_it_comes_within_an_hour() -> None:
    """A quiet topic is emptied as well, one letter after the other."""
    step = ROW_SECONDS / 19
    watching = guard()

    held = [it for n in range(20) for it in die(watching, 1, now=NOW + step * n)]

    assert held == [*HERE]


def test_deaths_of_an_earlier_minute_do_not_make_a_share() -> None:
    """Only what ended within the window is weighed, up to its very end."""
    watching = guard()
    die(watching, 15)
    live(watching, now=NOW + 1)

    assert die(watching, 15, now=NOW + WINDOW) == []


def test_one_route_is_held_while_the_others_are_fine() -> None:
    """A wrong agent among fifty: its calls die, and the others make up for them in total."""
    watching = guard()
    for _ in range(20):
        live(watching, 10, THERE)
        die(watching, 1, HERE)

    assert watching.held(HERE) == HERE[0]
    assert watching.held(THERE) is None


def test_a_few_deaths_on_each_of_many_routes_are_held_in_total() -> None:
    """Events may name a wrong agent each."""
    watching = guard()
    for number in range(20):
        die(watching, 1, posting(route(agent=str(number))))

    assert watching.held(posting(route(agent="0"))) == EVERY_ROUTE


def test_what_cannot_be_read_is_held_by_topic() -> None:
    """It says nothing of routes, nor of other topics; it is never tried again."""
    watching = guard()
    die(watching, 20, reading("calls"))

    assert watching.held(reading("calls")) == reading("calls")[0]
    assert watching.held(reading("other")) is None
    assert watching.held(HERE) is None
    assert not reading("calls")[0].is_repeatable
    assert all(stream.is_repeatable for stream in HERE)


def test_a_hold_ends_when_enough_end_well() -> None:
    """What succeeds goes on, and outweighs the dead at last; those that wait then go."""
    watching = guard()
    die(watching, 20)

    lifted = live(watching, 20)
    assert lifted == []

    assert live(watching) == [*HERE]
    assert watching.held(HERE) is None


def test_a_hold_that_has_lasted_ends_with_one_that_ends_well() -> None:
    """When nothing else has ended for a minute, that is all there is to judge by."""
    watching = guard()
    die(watching, 20)

    assert live(watching, now=NOW + 2 * WINDOW) == [*HERE]


def test_a_hold_does_not_end_by_time_alone() -> None:
    """Everything waits: that nothing more has died means nothing."""
    watching = guard()
    die(watching, 20)

    assert die(watching, 1, now=NOW + 10 * WINDOW) == []
    assert watching.held(HERE) == HERE[0]


def test_a_probe_that_passes_ends_all_holds_of_its_streams() -> None:
    """The same call died before: whatever it was is mended. The count begins anew."""
    watching = guard()
    die(watching, 500)

    assert watching.live(HERE, NOW, is_probe=True) == [*HERE]
    assert watching.is_calm
    assert die(watching, 19) == []


def test_a_stream_without_deaths_is_forgotten() -> None:
    """A few letters long ago cost nothing for ever after."""
    watching = guard()
    die(watching, 5)
    live(watching, now=NOW + WINDOW)
    assert not watching.is_calm

    live(watching, now=NOW + WINDOW + 1)

    assert watching.is_calm


def test_those_that_die_again_are_no_row_but_a_share() -> None:
    """They come one after the other because they waited together."""
    watching = guard()
    live(watching)
    die(watching, 1)
    live(watching, 100)
    for _ in range(60):
        assert watching.die(HERE, "refused (422)", NOW, is_again=True) == []

    again = [it for _ in range(60) for it in watching.die(HERE, "r", NOW, is_again=True)]

    assert again == [*HERE]


def test_a_release_begins_anew() -> None:
    """As after a restart: what was held is named, and so many letters may be written again."""
    watching = guard()
    die(watching, 30)
    die(watching, 3, reading("calls"))

    assert watching.release() == [*HERE]
    assert watching.held(HERE) is None
    assert die(watching, 19) == []
    assert die(watching, 1) == [*HERE]


def test_without_limits_nothing_is_held() -> None:
    """Who wants every letter at once can have that."""
    watching = guard(None)

    assert die(watching, 10_000) == []
    assert watching.is_calm
    assert live(watching) == []


def test_the_limits_may_be_as_strict_as_one() -> None:
    """The first letter waits already."""
    assert die(guard(Limits(1, 1.0)), 1) == [*HERE]


def test_the_cause_that_dominates_is_named() -> None:
    """Of all that died lately, not of a bad day last week."""
    watching = guard()
    die(watching, 19, why="refused (404)")
    later = NOW + 2 * ROW_SECONDS
    live(watching, now=NOW + 1)
    die(watching, 12, why="refused (422)", now=later)
    die(watching, 8, why="exhausted (500)", now=later)

    assert watching.cause(HERE[0]) == "refused (422)"


@pytest.mark.parametrize(
    ("reason", "status", "named"),
    [(Reason.REFUSED, 404, "refused (404)"), (Reason.MALFORMED, None, "malformed")],
)
def test_a_cause_is_a_reason_and_a_status(reason: Reason, status: int | None, named: str) -> None:
    """Few enough to be counted; never a word of an event."""
    assert cause(dead(reason, "anything at all", status=status)) == named


@pytest.mark.parametrize("reason", Reason)
def test_there_is_something_to_look_at_for_every_reason(reason: Reason) -> None:
    """And a way on."""
    assert remedy(f"{reason} (418)").startswith(("see ", "this is a fault of the service"))
    assert remedy(reason).endswith("SIGHUP to have these letters written")


def test_the_number_of_streams_is_bounded() -> None:
    """Events may name any agent; what is held is not forgotten."""
    watching = guard()
    die(watching, 20)
    for number in range(MOST_STREAMS + 10):
        watching.die((Stream(str(number)),), "refused", NOW)

    assert len(watching._tallies) <= MOST_STREAMS  # noqa: SLF001 - nothing else shows memory
    assert watching.held(HERE) == HERE[0]


def test_a_long_agent_is_cut_in_a_name() -> None:
    """It stands in logs and in a metric."""
    long = posting(route(agent="x" * 10_000, to=destination()))

    assert len(str(long[0])) < 400


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=300),
    st.integers(1, 30),
    st.floats(0.01, 1.0),
)
def test_before_a_hold_fewer_letters_left_in_a_row_than_the_limit(
    endings: list[tuple[bool, float]], letters: int, share: float
) -> None:
    """For all endings at all paces: so many letters never leave one after the other within an hour,
    and nothing is held after fewer deaths than that.
    """
    watching = guard(Limits(letters, share))
    now, row, deaths = NOW, [NOW][:0], 0
    for is_death, seconds in endings:
        now += seconds
        if is_death:
            deaths += 1
            watching.die(HERE, "refused", now)
            row.append(now)
            if watching.held(HERE):
                assert deaths >= letters
                break
            assert len([at for at in row[-letters:] if now - at <= ROW_SECONDS]) < letters
        else:
            watching.live(HERE, now)
            row.clear()
