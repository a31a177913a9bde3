"""Takes records in, as long as there is room."""

import asyncio
from collections.abc import Sequence
from typing import Final

from ingestor.core.offsets import Offsets
from ingestor.core.record import Record
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.ports import Source
from ingestor.flow.room import Room

# So much is decoded at a time: a fraction of a millisecond, ten when it is not in the exact form. A
# whole batch takes some five, in which no slot that was answered gets its next request: in pieces,
# 64 slots carry a fifth more (measured at 4 KB with a Tuner that answers at once).
PIECE_BYTES: Final = 64 * 1024


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
        piece = 0
        for record in records:
            self._pipeline.admit(record)
            piece += len(record.value or b"")
            if piece >= PIECE_BYTES:
                piece = 0
                # Answers and heartbeats come in between. They may end the assignment, and then the
                # rest comes again to whoever has it next.
                await asyncio.sleep(0)
                if self._pipeline.drains != drains:
                    return
