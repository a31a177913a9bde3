"""Time and turns."""

import asyncio
import math
import time
from statistics import median, quantiles

import pytest

from ingestor.devkit.fake_tuner import Latency, Options
from ingestor.devkit.fake_tuner.pace import Pace, Throttle


def rolls(latency: Latency, seed: int = 1) -> list[float]:
    pace = Pace(latency, capacity=None, seed=seed)
    return [pace.roll() for _ in range(2000)]


def test_without_spread_every_request_takes_the_median() -> None:
    """A spread of 0 is a constant."""
    assert set(rolls(Latency(0.05))) == {0.05}


def test_latency_spreads_around_its_median() -> None:
    """Half the requests take longer than the median, one in six longer than e^spread of it."""
    taken = rolls(Latency(0.05, spread=0.7))

    assert median(taken) == pytest.approx(0.05, rel=0.1)
    assert quantiles(taken, n=100)[83] == pytest.approx(0.05 * math.exp(0.7), rel=0.15)


def test_dice_are_seeded() -> None:
    """The same seed takes the same time."""
    latency = Latency(0.05, spread=0.7)

    assert rolls(latency, seed=1) == rolls(latency, seed=1) != rolls(latency, seed=2)


async def elapsed(pace: Pace, requests: int) -> float:
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(pace.take())
    return time.monotonic() - began


async def test_above_its_capacity_requests_queue() -> None:
    """Twelve requests of 50 ms, two at a time, take six times 50 ms; all at once they take one."""
    latency = Latency(0.05)

    assert await elapsed(Pace(latency, capacity=2, seed=1), 12) >= 0.3
    assert 0.05 <= await elapsed(Pace(latency, capacity=None, seed=1), 12) < 0.25


async def test_no_latency_is_no_wait() -> None:
    """Without latency nothing is slept, whatever the capacity."""
    assert await elapsed(Pace(Latency(), capacity=1, seed=1), 100) < 1


def test_a_throttle_gives_a_seconds_worth_at_once() -> None:
    """After that a token comes every 1/rate seconds, and what is refused costs none."""
    throttle = Throttle(2, now=10.0)

    assert [throttle.wait(10.0) for _ in range(3)] == [0, 0, 0.5]
    assert throttle.wait(10.25) == 0.25
    assert throttle.wait(10.5) == 0
    assert throttle.wait(10.5) == 0.5


def test_a_throttle_does_not_save_up() -> None:
    """However long nothing came, a second's worth is all there is."""
    throttle = Throttle(2, now=0.0)

    assert [throttle.wait(1000.0) for _ in range(3)] == [0, 0, 0.5]


def test_a_slow_throttle_gives_whole_tokens() -> None:
    """Less than one request a second still lets the first one through."""
    throttle = Throttle(0.1, now=0.0)

    assert [throttle.wait(0.0), throttle.wait(0.0)] == [0, 10.0]


@pytest.mark.parametrize("options", [{"capacity": 0}, {"max_rate": 0.0}])
def test_nothing_can_be_served_by_nobody(options: dict[str, int]) -> None:
    """A capacity or a rate that serves nobody is a mistake."""
    with pytest.raises(ValueError, match="nothing would ever be served"):
        Options(**options)  # type: ignore[arg-type]
