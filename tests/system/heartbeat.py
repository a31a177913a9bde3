"""Shows from outside that the event loop of a service goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from system.processes import ServiceProcess


@asynccontextmanager
async def heartbeat(running: ServiceProcess) -> AsyncIterator[list[float]]:
    """Ask for /livez all the time; the list is how long each answer took."""
    answers: list[float] = []
    clock = asyncio.get_running_loop().time

    async def ask() -> None:
        while True:
            began = clock()
            assert (await running.page("livez"))[0] == 200
            answers.append(clock() - began)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask())
        yield answers
        asking.cancel()
