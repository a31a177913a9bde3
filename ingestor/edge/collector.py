"""Has Python's garbage collector look at what waits less often, and by the clock."""

import asyncio
import gc

# A record that waits is some twenty objects, none of them in a cycle: by default a look at the
# youngest is due after every 700 of them, and of a room full of records each look finds all alive.
# It took a quarter of the time of the whole road (measured; at 10,000 it still took a twentieth).
YOUNGEST = 50_000
# What a lost client of Kafka leaves behind is few objects that hold much: by their number alone
# they would wait for hours. A look at everything takes some ten milliseconds when the room is full.
SWEEP_SECONDS = 10.0


def relax() -> None:
    """Look at the youngest objects after 50,000, and never again at those that are there now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, *gc.get_threshold()[1:])


async def sweep(seconds: float = SWEEP_SECONDS) -> None:
    """Look at everything else every so many *seconds*, as long as the service runs."""
    while True:
        await asyncio.sleep(seconds)
        gc.collect()
