"""Lets a test wait until something is so, instead of sleeping and hoping."""

import asyncio
from collections.abc import Callable


class News:
    """Wake whoever waits whenever something has happened."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self._is_awaited = False

    def spread(self) -> None:
        """Say that something has happened."""
        if self._is_awaited:
            self._happened.set()
            self._happened = asyncio.Event()
            self._is_awaited = False

    async def until(self, is_so: Callable[[], bool], within: float) -> None:
        """Return once *is_so*, asked after each piece of news, or raise TimeoutError."""
        async with asyncio.timeout(within):
            while not is_so():
                self._is_awaited = True
                await self._happened.wait()
