"""Time goes on, and chance is even."""

import asyncio
import statistics
import time
from collections import deque

import pytest

from ingestor.edge.clock import SystemClock, SystemDice


async def test_the_clock_goes_on() -> None:
    """One clock never goes back, the other one knows the date."""
    clock = SystemClock()
    before = clock.now()

    await clock.sleep(0.02)

    assert 0.02 <= clock.now() - before < 5
    assert abs(clock.wall() - time.time()) < 5


async def test_a_call_comes_later_unless_taken_back() -> None:
    """A timer is somebody's to cancel."""
    clock, called = SystemClock(), asyncio.Event()
    calls: list[str] = []

    clock.call_later(0.01, lambda: calls.append("never")).cancel()
    clock.call_later(0.02, called.set)
    assert not called.is_set()
    async with asyncio.timeout(5):
        await called.wait()

    assert calls == []


async def test_what_a_later_call_raises_is_heard() -> None:
    """By whoever watches, not by the loop, which would go on; the other calls are made."""
    clock, called = SystemClock(), asyncio.Event()

    clock.call_later(0.01, deque[None]().popleft)
    clock.call_later(0.02, called.set)

    with pytest.raises(IndexError):
        async with asyncio.timeout(5):
            await clock.watch()
    async with asyncio.timeout(5):
        await called.wait()


def test_dice_are_even() -> None:
    """From 0 up to, not including, 1."""
    rolls = [SystemDice().roll() for _ in range(10_000)]

    assert 0 <= min(rolls) < 0.01
    assert 0.99 < max(rolls) < 1
    assert 0.47 < statistics.mean(rolls) < 0.53
