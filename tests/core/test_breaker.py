"""When a server counts as out of order, and when one call alone is."""

import random
from collections.abc import Iterator

from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.breaker import LEAST, LONGEST_RUN, NEW, OLD, SECONDS, Breaker
from ingestor.core.effort import Effort

RUN_OF_NEW = LONGEST_RUN // NEW
RUN_OF_OLD = LONGEST_RUN // OLD


def new() -> Effort:
    """Make a call at its first attempt."""
    effort = Effort()
    effort.begin(0.0, 0)
    return effort


def old() -> Effort:
    """Make a call that was tried before."""
    effort = new()
    effort.begin(0.0, 0)
    return effort


def test_a_run_of_new_calls_that_fail_opens_it() -> None:
    """About ten say enough, however slowly they come; the last of them is the one."""
    breaker = Breaker()

    opened = [breaker.fails(60.0 * number, new()) for number in range(RUN_OF_NEW)]

    assert opened == [False] * (RUN_OF_NEW - 1) + [True]


def test_a_run_of_calls_that_failed_before_has_to_be_longer() -> None:
    """Some of them may be bad themselves."""
    breaker = Breaker()

    opened = [breaker.fails(0.0, old()) for _ in range(RUN_OF_OLD)]

    assert opened == [False] * (RUN_OF_OLD - 1) + [True]


def test_one_answer_ends_a_run() -> None:
    """Whatever it says: who answers is there."""
    breaker = Breaker()
    for _ in range(3):
        for number in range(RUN_OF_NEW - 1):
            assert not breaker.fails(60.0 * number, new())
        breaker.works(0.0, old())


@table("count", {"one": 1, "two in turn": 2, "nine in turn": 9})
def test_a_few_calls_that_fail_for_ever_never_open_it(count: int) -> None:
    """Even when nothing else is there to compare them with; in a run each is heard once."""
    breaker = Breaker()
    efforts = [Effort() for _ in range(count)]

    for number in range(1_000):
        effort = efforts[number % count]
        effort.begin(0.0, 0)
        assert not breaker.fails(number * 0.1, effort)


def test_one_that_fails_for_ever_is_heard_again_in_the_next_run() -> None:
    """It is one of many witnesses, no more and no less."""
    breaker, bad = Breaker(), old()
    for _ in range(RUN_OF_OLD):
        assert not breaker.fails(0.0, bad)
    breaker.works(0.0, old())
    for _ in range(RUN_OF_OLD - 1):
        assert not breaker.fails(0.0, old())

    assert breaker.fails(0.0, bad)


def test_half_of_twenty_first_attempts_open_it() -> None:
    """Without any run: every second one works."""
    breaker = Breaker()
    opened = []
    for number in range(LEAST // 2):
        breaker.works(number * 0.5, new())
        opened.append(breaker.fails(number * 0.5, new()))

    assert opened == [False] * (LEAST // 2 - 1) + [True]


def test_less_than_half_do_not() -> None:
    """However many."""
    breaker = Breaker()
    for number in range(1_000):
        for _ in range(3):
            breaker.works(number * 0.01, new())
        for _ in range(2):
            assert not breaker.fails(number * 0.01, new())


def test_what_is_tried_again_does_not_count_for_the_ratio() -> None:
    """A hundred calls that fail for ever are tried more often than a few good ones come."""
    breaker = Breaker()
    for number in range(1_000):
        breaker.works(number * 0.01, new())
        for _ in range(5):
            assert not breaker.fails(number * 0.01, old())


def test_what_is_long_ago_does_not_count_for_the_ratio() -> None:
    """A storm of an hour ago is over."""
    breaker, late = Breaker(), float(SECONDS)
    for _ in range(LEAST // 2 - 1):
        breaker.works(0.0, new())
        assert not breaker.fails(0.0, new())

    for _ in range(LEAST // 2 - 1):
        breaker.works(late, new())
        assert not breaker.fails(late, new())


def test_after_an_outage_it_begins_anew() -> None:
    """What was before says nothing of what is now: neither ratio nor run."""
    breaker = Breaker()
    for _ in range(LEAST):
        breaker.works(0.0, new())
        breaker.fails(0.0, new())
    for _ in range(RUN_OF_NEW - 2):
        breaker.fails(0.0, new())

    breaker.forget()

    assert not breaker.fails(0.0, new())


def test_a_server_is_sound_while_most_new_calls_are_answered() -> None:
    """Only then a failure may be a call's own; what is tried again says little of others."""
    breaker = Breaker()
    sound = [breaker.is_sound]
    for _ in range(6):
        breaker.fails(0.0, new())
    sound.append(breaker.is_sound)
    for _ in range(100):
        breaker.works(0.0, old())
    sound.append(breaker.is_sound)
    for _ in range(10):
        breaker.works(0.0, new())
    sound.append(breaker.is_sound)

    assert sound == [True, False, False, True]


def chances(share: float, seed: int) -> Iterator[bool]:
    """Draw whether an attempt fails, for ever."""
    dice = random.Random(seed)
    while True:
        yield dice.random() < share


def test_a_server_that_fails_a_fifth_stays_closed() -> None:
    """A thousand calls in ten seconds, each tried until it is answered."""
    breaker, is_bad = Breaker(), chances(0.2, seed=1)
    for number in range(10_000):
        effort = Effort()
        effort.begin(0.0, 0)
        while next(is_bad):
            assert not breaker.fails(number * 0.01, effort)
            effort.begin(0.0, 0)
        breaker.works(number * 0.01, effort)
    assert breaker.is_sound


@table("seed", {str(seed): seed for seed in range(50)})
def test_a_server_that_fails_three_fifths_opens_soon(seed: int) -> None:
    """Within some sixty calls."""
    breaker, is_bad = Breaker(), chances(0.6, seed)

    for number in range(60):
        if not next(is_bad):
            breaker.works(number * 0.1, new())
        elif breaker.fails(number * 0.1, new()):
            return

    raise AssertionError("it never opened")


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 30)), max_size=200))
def test_it_opens_on_failures_alone_and_never_on_fewer_than_a_run(
    steps: list[tuple[bool, bool, float]],
) -> None:
    """Whatever the order: there are at least as many witnesses as either rule asks for."""
    breaker, now, failed = Breaker(), 0.0, 0
    for is_new, is_good, pause in steps:
        now += pause
        effort = new() if is_new else old()
        if is_good:
            breaker.works(now, effort)
            continue
        failed += 1
        if breaker.fails(now, effort):
            assert failed >= RUN_OF_NEW
