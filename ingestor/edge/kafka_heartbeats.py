"""Hears what the group answers to heartbeats: nothing public tells it, and a client that is cut off
goes on as if it were a member.
"""

import time
from collections.abc import Callable
from typing import Any


def hear(consumer: Any, tell: Callable[[float], None]) -> None:
    """Tell whenever the group acknowledges *consumer*, which was started, as its member: how many
    seconds ago it was asked.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - nothing public shows heartbeats
    beat = coordinator._do_heartbeat  # noqa: SLF001 - see above

    async def beat_and_tell() -> bool:
        asked = time.monotonic()
        is_member: bool = await beat()
        if is_member:
            tell(time.monotonic() - asked)
        return is_member

    coordinator._do_heartbeat = beat_and_tell  # noqa: SLF001 - see above


async def ask(consumer: Any) -> None:
    """Send a heartbeat at once.

    An assignment may have been long on its way to us, and the group may have forgotten us since.
    """
    await consumer._coordinator._do_heartbeat()  # noqa: SLF001 - see above
