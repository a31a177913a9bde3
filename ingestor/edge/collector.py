"""Has Python's garbage collector look less often at what waits."""

import gc

# A record that waits is some twenty objects, none of them in a cycle: by default a look at the
# youngest is due after every 700 of them, and of a room full of records each look finds all alive.
# It took a quarter of the time of the whole road (measured; at 10,000 it still took a twentieth).
YOUNGEST = 50_000


def relax() -> None:
    """Look at the youngest objects after 50,000, and never again at those that are there now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, *gc.get_threshold()[1:])
