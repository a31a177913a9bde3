"""What goes on beside the serving."""

import asyncio

import pytest

from ingestor.devkit.fake_tuner.background import background


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


async def fail() -> None:
    raise OSError("lost")


async def test_what_goes_on_ends_with_the_block() -> None:
    """Leaving the block cancels what is under way and sees it end."""
    ended: list[str] = []
    async with asyncio.timeout(5), background() as tasks:
        tasks.start(forever(ended))
        await asyncio.sleep(0)

    assert ended == ["ended"]


CAUSE = KeyError("why")


async def failing_block(ended: list[str]) -> None:
    async with background() as tasks:
        tasks.start(forever(ended))
        await asyncio.sleep(0)
        raise ValueError("mine") from CAUSE


async def test_an_exception_of_the_block_stays_as_it_is() -> None:
    """Whoever fails inside sees their own exception, with its cause, and not a group of it."""
    ended: list[str] = []

    with pytest.raises(ValueError, match="mine") as caught:
        await failing_block(ended)

    assert caught.value.__cause__ is CAUSE
    assert ended == ["ended"]


async def block_beside_a_failure() -> None:
    async with asyncio.timeout(5), background() as tasks:
        tasks.start(fail())
        await asyncio.Event().wait()


async def test_a_task_that_fails_ends_the_block() -> None:
    """A lost resource is nobody's to ignore."""
    with pytest.raises(OSError, match="lost"):
        await block_beside_a_failure()


async def test_cancelling_the_block_cancels_all_of_it() -> None:
    """A cancelled block is cancelled, not failed."""
    ended: list[str] = []

    async def block() -> None:
        async with background() as tasks:
            tasks.start(forever(ended))
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(block())
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()

    assert task.cancelled()
    assert ended == ["ended"]
