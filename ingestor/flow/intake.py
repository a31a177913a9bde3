"""Takes records in, as long as there is room."""

import asyncio
from collections.abc import Sequence
from typing import Final

from ingestor.core.offsets import Offsets
from ingestor.core.record import Record
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.ports import Source
from ingestor.flow.room import Room

# What takes about ten milliseconds to decode when it is not in the exact form.
LARGE_BYTES: Final = 64 * 1024


class Intake:
    """Reads the source and hands records to the pipeline in the order of their offsets."""

    def __init__(self, *, source: Source, pipeline: Pipeline, offsets: Offsets, room: Room) -> None:
        self._source = source
        self._pipeline = pipeline
        self._offsets = offsets
        self._room = room

    async def run(self) -> None:
        """Take records in until cancelled."""
        while True:
            # Without room nothing is asked for, but the source is asked: that keeps the membership
            # and passes errors on.
            wanted = self._room.open_to(self._offsets.partitions)
            await self._admit(await self._source.take(wanted, self._room.batch()))
            # To ask the source again takes a while; what came goes first.
            self._pipeline.begin()
            # A source with records at hand need not suspend: the others have to run as well.
            await asyncio.sleep(0)

    async def _admit(self, records: Sequence[Record]) -> None:
        drains = self._pipeline.drains
        for record in records:
            self._pipeline.admit(record)
            if record.value and len(record.value) >= LARGE_BYTES:
                # To read it took a while: heartbeats and answers have to come in between. They may
                # end the assignment, and then the rest comes again to whoever has it next.
                await asyncio.sleep(0)
                if self._pipeline.drains != drains:
                    return
