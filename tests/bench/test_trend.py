"""A leak is seen through the noise, and noise is no leak."""

from random import Random

import pytest
from bench.trend import trend

NOISE = Random(1)


def samples(per_second: float, *, noise: float = 0.0) -> list[tuple[float, float]]:
    """Take three hundred samples of what grows from 100 on."""
    return [(at, 100 + per_second * at + NOISE.uniform(-noise, noise)) for at in range(300)]


def test_what_grows_is_found_and_by_how_much() -> None:
    """Also where the noise is larger than what it grows by from one sample to the next."""
    found = trend("leak", samples(0.5, noise=20.0), allowed=50.0)

    assert not found.is_flat
    assert found.growth == pytest.approx(0.5 * 240, rel=0.1)
    assert found.per_hour == pytest.approx(1800, rel=0.1)


@pytest.mark.parametrize("per_second", [0.0, -1.0])
def test_noise_is_flat_and_so_is_what_shrinks(per_second: float) -> None:
    """Only growth fills a machine."""
    assert trend("noise", samples(per_second, noise=20.0), allowed=10.0).is_flat


def test_the_warm_up_does_not_count() -> None:
    """A process takes its room at the begin and then keeps to it."""
    warming = [(float(at), min(at, 50) * 10.0) for at in range(300)]

    assert trend("cache", warming, allowed=0.1).growth == pytest.approx(0.0, abs=1e-6)


def test_too_few_samples_say_nothing() -> None:
    """Rather no verdict than one of chance."""
    with pytest.raises(ValueError, match="say nothing"):
        trend("short", [(0.0, 1.0), (1.0, 1.0)], allowed=1.0)
