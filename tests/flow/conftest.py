"""What the tests of the flow run under."""

import asyncio

import pytest


@pytest.fixture(autouse=True)
async def debugged_loop() -> None:
    """Have asyncio look out for what was never awaited and for calls from the wrong thread."""
    asyncio.get_running_loop().set_debug(True)
