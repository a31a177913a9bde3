"""Rates are of what arrived, when it arrived."""

import pytest
from bench.heat import steady_rate, whole_rate
from bench.load import requests_a_second
from bench.sink import Story

NS = 10**9


def story(*times: float, first: float = 0.0, accepted: int = 1_000) -> Story:
    """Tell of calls of which each hundredth part was there at these *times*, in seconds."""
    return Story(
        accepted=accepted,
        distinct=accepted,
        failed=0,
        first_ns=int(first * NS) + NS,
        times_ns=tuple(int(time * NS) + NS for time in times),
        lags_ms=(),
        peak=1,
        connections=1,
    )


def test_the_whole_begins_with_the_first_request() -> None:
    """What the first answer took is part of it."""
    assert whole_rate(story(*(2 + it / 100 for it in range(101)), first=1.0)) == 500


def test_the_middle_leaves_out_how_it_began_and_ended() -> None:
    """A late straggler says nothing about the pace."""
    even = [it / 100 for it in range(100)]

    assert steady_rate(story(*even, 100.0)) == pytest.approx(1_000)


def test_nothing_has_no_rate() -> None:
    """A peer that delivered nothing is not slow, it failed."""
    nothing = story(accepted=0)

    assert whole_rate(nothing) is None
    assert steady_rate(nothing) is None


def test_what_wrk_says_is_read() -> None:
    """Its failures are no requests."""
    said = "Running 5s test\nRequests/sec:  17300.25\nTransfer/sec:      3MB\n"

    assert requests_a_second(said) == 17300.25
    with pytest.raises(ValueError, match="Non-2xx"):
        requests_a_second(f"{said}  Non-2xx or 3xx responses: 5\n")
    with pytest.raises(ValueError, match="refused"):
        requests_a_second("unable to connect: refused")
