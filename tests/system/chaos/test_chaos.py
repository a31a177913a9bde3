"""Everything fails at random: nothing is lost, or out of order, and hardly anything sent twice.

Two seeds are always the same, and run on both wires. `--chaos-seed 7` (or `1-50`) runs those of
your choice, `--chaos-minutes 30` new ones for so long, on the wire of `TEST_TUNER_WIRE`.
"""

from pathlib import Path

import pytest
from system.chaos.fleet import EXIT_SECONDS
from system.chaos.laws import violations
from system.chaos.plan import plan
from system.chaos.proxied_kafka import ProxiedKafka
from system.chaos.world import World, keep, world

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

MOST_RESIDENT = 256 * 2**20
MOST_FILES = 250
MOST_THREADS = 16


async def test_the_laws_hold_in_chaos(
    chaos_seed: int, wire: str, doors: ProxiedKafka, tmp_path: Path
) -> None:
    """Whatever is killed, cut, stalled or lied to. The whole story of a failure is kept."""
    environ = {} if wire == "any" else {"TUNER_WIRE": wire}
    async with world(plan(chaos_seed), doors, environ) as it:
        try:
            await it.run()
            await all_leave_well(it)
        except BaseException as error:
            error.add_note(keep(it, [], tmp_path / "story.txt"))
            raise
        seen = await it.collect()

    broken = violations(seen)
    assert not broken, keep(it, broken, tmp_path / "story.txt")


async def all_leave_well(it: World) -> None:
    """Every service is in good shape at the end, and goes when it is told to."""
    for slot in it.slots:
        vitals = slot.vitals()
        assert vitals.resident < MOST_RESIDENT
        assert vitals.files < MOST_FILES
        assert vitals.threads < MOST_THREADS
        assert await slot.stop() < EXIT_SECONDS
