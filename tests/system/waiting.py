"""Waits for what is to become so, with a deadline; no test sleeps for luck."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any

from ingestor.devkit.fake_tuner.background import background

# Generous: a machine that runs other things at the same time is no fault of the service.
SECONDS = 40.0
_PAUSE_SECONDS = 0.05


async def eventually(
    look: Callable[[], Any], within: float = SECONDS, *, so_far: Callable[[], object] = lambda: ""
) -> Any:
    """Look, or await what *look* gives, until something true is seen, and return it.

    AssertionError after *within* seconds, with what was seen last and with *so_far*.
    """
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within} s: {seen!r} {so_far()}"
        await asyncio.sleep(_PAUSE_SECONDS)


async def together(*works: Coroutine[None, None, None]) -> None:
    """Do *works* at the same time, since they mostly wait; raise the first failure as it is."""
    left = len(works)
    is_over = asyncio.Event()

    async def finish(work: Coroutine[None, None, None]) -> None:
        nonlocal left
        await work
        left -= 1
        if not left:
            is_over.set()

    async with background() as tasks:
        for work in works:
            tasks.start(finish(work))
        await is_over.wait()
