"""The limit grows while it helps, and shrinks when the server pushes back or queues; every claim
here is about a server that works in virtual time.
"""

from collections.abc import Sequence

import pytest
from bench.compare_limiters import SCENES, Scene, measure
from bench.simulation import Phase, World
from builders import answered
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.limiter import (
    BACK_OFF,
    CHECK_SECONDS,
    LEAST_BY_LATENCY,
    START,
    Limiter,
)
from ingestor.core.sign import Sign, sign

ENDLESS = 10**6


def play(phases: Sequence[Phase], *, seconds: float, most: int = 512, seed: int = 1) -> World:
    """Let one client work for *seconds*."""
    world = World(phases, [Limiter(most)], seed)
    world.run(seconds)
    return world


def limits(world: World, since: float) -> list[int]:
    """List the limits from *since* on."""
    return [limit for when, limit in world.clients[0].limits if when >= since]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answered(201), Sign.FINE),
        (answered(200), Sign.FINE),
        (answered(202), Sign.FINE),
        (answered(409), Sign.FINE),
        (answered(429), Sign.REFUSED),
        (answered(503), Sign.STRAINED),
        (answered(504), Sign.STRAINED),
        (answered(408), Sign.STRAINED),
        (Unanswered(Fault.TIMEOUT), Sign.STRAINED),
        (answered(500), Sign.NONE),
        (answered(422), Sign.NONE),
        (answered(401), Sign.NONE),
        (Unanswered(Fault.CONNECT), Sign.NONE),
        (Unanswered(Fault.CUT_OFF), Sign.NONE),
    ],
)
def test_only_some_answers_speak_of_the_load(answer: Answer, expected: Sign) -> None:
    """A refusal takes no time, and an unreachable server is not a busy one."""
    assert sign(answer) is expected


def test_a_server_that_is_merely_slow_gets_all_within_a_few_round_trips() -> None:
    """From the start on the limit doubles with each, and stays."""
    world = play([Phase(workers=ENDLESS, seconds=0.2, spread=0.0)], seconds=3.0)

    assert limits(world, 0.0)[0] == START
    assert min(limits(world, 1.3)) == 512, "six or seven round trips"


@pytest.mark.parametrize(
    "phase",
    [
        Phase(workers=ENDLESS, seconds=0.2, spread=0.7),
        Phase(workers=ENDLESS, large=0.1),
        Phase(workers=ENDLESS, pause=1.0, pause_every=3.0),
        Phase(workers=ENDLESS, strained=0.01),
    ],
    ids=["uneven", "bodies", "pauses", "accidents"],
)
def test_what_has_nothing_to_do_with_the_load_does_not_shrink_it(phase: Phase) -> None:
    """Latency varies with the bodies, a collector stops everything, some requests fail."""
    seen = limits(play([phase], seconds=10.0), 4.0)

    assert sum(seen) / len(seen) > 0.95 * 512


def test_what_fails_whatever_the_limit_does_not_shrink_it() -> None:
    """A fifth of all requests fails by chance: fewer at a time fail as often."""
    result = measure(SCENES["20 % fail by chance"], Limiter, 1)

    assert result.rate > 0.8 * 0.8 * 512 / 0.05


def test_a_limit_is_found_although_a_fifth_fails_anyway() -> None:
    """What fails beyond the usual part still counts."""
    result = measure(SCENES["40 workers, 20 % fail by chance"], Limiter, 1)

    assert 40 < result.limit < 80
    assert result.rate > 0.95 * 764


def test_what_was_tolerated_is_tested_again_after_a_minute() -> None:
    """What was an accident may have become push-back."""
    world = play([Phase(workers=ENDLESS, strained=0.2)], seconds=2.5 * CHECK_SECONDS, most=64)

    dips = [when for when, limit in world.clients[0].limits if limit < 0.9 * 64]
    assert len({int(when / CHECK_SECONDS) for when in dips}) == 3


@pytest.mark.parametrize("seed", range(3))
def test_a_queue_at_the_server_shrinks_it_to_what_the_server_can_do(seed: int) -> None:
    """More requests than it has workers only wait there."""
    scene = SCENES["40 workers, endless queue"]

    result = measure(scene, Limiter, seed)

    assert 40 < result.limit < 80
    assert result.rate > 0.95 * 764
    assert result.p99 < 0.2


@pytest.mark.parametrize("title", ["40 workers, 503 beyond 20", "40 workers, 429 beyond 20"])
def test_a_server_that_pushes_back_seldom_has_to(title: str) -> None:
    """It is kept busy, and the limit stays at what it takes."""
    result = measure(SCENES[title], Limiter, 1)

    assert result.rate > 0.95 * 764
    assert result.pushed_back < 25, "of a thousand"


def test_a_server_that_becomes_slower_keeps_its_limit() -> None:
    """The test of a lower limit shows that nothing is gained by it."""
    slower = [
        Phase(workers=ENDLESS, spread=0.2),
        Phase(since=5.0, workers=ENDLESS, spread=0.2, seconds=0.2),
    ]

    seen = limits(play(slower, seconds=12.0), 8.0)

    assert min(seen) == 512


def test_a_server_that_loses_workers_is_given_less() -> None:
    """A hundred and sixty of two hundred went away."""
    result = measure(SCENES["200 -> 40 workers"], Limiter, 2)

    assert result.limit < 120
    assert result.rate > 0.95 * 764


def test_a_server_that_gains_workers_is_given_more() -> None:
    """Within two seconds the new ones are busy."""
    result = measure(SCENES["40 -> 200 workers"], Limiter, 1)

    assert result.rate > 0.95 * 3_820
    assert result.ramp <= 2.0


def test_two_processes_share_a_server_evenly() -> None:
    """They know nothing of each other."""
    assert measure(SCENES["two clients"], Limiter, 1).fairness > 0.95


def test_a_queue_that_was_there_from_the_start_is_found_out() -> None:
    """Its latency is taken for the normal one, until the limit is tested all the same."""
    world = play([Phase(workers=4, spread=0.1)], seconds=CHECK_SECONDS + 20, most=64)

    assert max(limits(world, CHECK_SECONDS + 10)) < 20


def test_latency_alone_leaves_a_handful() -> None:
    """A few requests that wait at a small server do it no harm."""
    world = play([Phase(workers=1, spread=0.1)], seconds=CHECK_SECONDS + 60, most=64)

    assert min(limits(world, 0.0)) == LEAST_BY_LATENCY


def test_a_queue_of_milliseconds_is_left_alone() -> None:
    """It does nobody any harm, and to keep it away costs more than it does."""
    loaded = [Phase(seconds=0.001), Phase(since=1.0, workers=4, seconds=0.001)]
    seen = limits(play(loaded, seconds=CHECK_SECONDS - 5, most=64), 2.0)

    assert set(seen) == {64}


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    """Ten requests at a time say nothing about what a hundred would do."""
    limiter = Limiter(512)

    for number in range(1_000):
        limiter.note(Sign.FINE, seconds=0.05, in_flight=10, now=number / 200)

    assert limiter.limit == START


def test_push_back_counts_once_for_all_that_was_under_way() -> None:
    """What began under the old limit is no answer to the new one."""
    limiter = Limiter(64)

    for _ in range(START):
        limiter.note(Sign.REFUSED, seconds=0.1, in_flight=START, now=10.0)
    assert limiter.limit == int(START * BACK_OFF)
    limiter.note(Sign.REFUSED, seconds=0.05, in_flight=START, now=10.1)

    assert limiter.limit == int(START * BACK_OFF * BACK_OFF)


def test_a_single_strained_answer_is_an_accident() -> None:
    """One call that always times out must not slow down all others."""
    limiter = Limiter(16)

    for number in range(1_000):
        what = Sign.STRAINED if number % 50 == 7 else Sign.FINE
        limiter.note(what, seconds=0.05, in_flight=16, now=number / 300)

    assert limiter.limit == 16


def test_what_began_under_an_earlier_limit_is_counted_and_not_timed() -> None:
    """It says how many fail, but its latency belongs to another number of requests."""
    limiter = Limiter(32)
    for _ in range(8):
        limiter.note(Sign.FINE, seconds=0.01, in_flight=16, now=10.0)
    assert limiter.limit == 32

    for _ in range(2_000):
        limiter.note(Sign.FINE, seconds=8.0, in_flight=32, now=12.0)
    for _ in range(32):
        limiter.note(Sign.STRAINED, seconds=1.0, in_flight=32, now=13.0)

    assert limiter.limit == 32


def test_with_nothing_but_strain_one_request_is_left() -> None:
    """There is always one that may find out whether it is over."""
    limiter = Limiter(64)

    for number in range(2_000):
        limiter.note(Sign.STRAINED, seconds=0.1, in_flight=1, now=float(number))

    assert limiter.limit == 1


NOTES = st.lists(
    st.tuples(
        st.sampled_from([Sign.FINE, Sign.FINE, Sign.STRAINED, Sign.REFUSED, Sign.NONE]),
        st.floats(0, 100),
        st.integers(0, 600),
        st.floats(0, 100),
        st.integers(1, 40),
    ),
    max_size=60,
)


@given(most=st.integers(1, 600), notes=NOTES)
def test_the_limit_stays_within_its_bounds(
    most: int, notes: list[tuple[Sign, float, int, float, int]]
) -> None:
    """Whatever is noted, in whatever order: from one to the most there may be."""
    limiter, now = Limiter(most), 0.0
    for what, seconds, in_flight, pause, times in notes:
        for _ in range(times):
            now += pause
            limiter.note(what, seconds=seconds, in_flight=in_flight, now=now)
            assert 1 <= limiter.limit <= most


@settings(max_examples=30)
@given(
    most=st.integers(8, 128),
    workers=st.integers(1, 150),
    seconds=st.floats(0.005, 0.5),
    seed=st.integers(0, 2**16),
)
def test_no_server_is_starved(most: int, workers: int, seconds: float, seed: int) -> None:
    """Whatever its size and its pace, it has at least two thirds of the work that it can do."""
    scene = Scene(
        [Phase(workers=workers, seconds=seconds, spread=0.2)],
        most=most,
        seconds=60 * seconds,
        after=30 * seconds,
    )

    result = measure(scene, Limiter, seed)

    assert result.rate > 0.66 * min(workers, most) / (seconds * 1.02)
