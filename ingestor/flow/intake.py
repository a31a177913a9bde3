"""Takes records in, as long as there is room."""

import asyncio

from ingestor.core.offsets import Offsets
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.ports import Source
from ingestor.flow.room import Room


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
            wanted = self._offsets.partitions if self._room.is_open else ()
            for record in await self._source.take(wanted):
                self._pipeline.admit(record)
            # A source with records at hand need not suspend: the others have to run as well.
            await asyncio.sleep(0)
