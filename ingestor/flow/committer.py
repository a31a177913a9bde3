"""Decides when offsets are committed: after a second or a thousand settlements, at revoke and at
shutdown; one at a time. Also when only what is finished beyond a mark has changed.
"""

import asyncio
from typing import Final

from ingestor.core.offsets import Offsets
from ingestor.flow.ports import Clock, Source

INTERVAL = 1.0
MOST_SETTLED: Final = 1_000


class Committer:
    """Commits the marks."""

    def __init__(self, *, source: Source, offsets: Offsets, clock: Clock) -> None:
        self._source = source
        self._offsets = offsets
        self._clock = clock
        self._settled = 0
        self._due = asyncio.Event()
        self._one = asyncio.Lock()

    def note(self) -> None:
        """Note a settlement."""
        self._settled += 1
        if self._settled >= MOST_SETTLED:
            self._due.set()

    async def run(self) -> None:
        """Commit as long as the service runs."""
        while True:
            timer = self._clock.call_later(INTERVAL, self._due.set)
            await self._due.wait()
            timer.cancel()
            await self.commit()

    async def commit(self) -> None:
        """Commit what is finished; what is not acknowledged is part of the next commit."""
        async with self._one:
            self._due.clear()
            self._settled = 0
            marks = self._offsets.marks()
            offsets = {mark.partition: mark.offset for mark in marks}
            memos = {mark.partition: mark.memo for mark in marks if mark.memo}
            if marks and await self._source.commit(offsets, memos):
                self._offsets.commit(marks)
