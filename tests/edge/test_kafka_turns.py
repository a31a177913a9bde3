"""Whoever waits for records goes before the client's own next step."""
# ruff: noqa: SLF001 - it is about the client's own steps

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from edge.embedded import FIRST, numbers, publish, reader_of
from edge.hostile import until

from ingestor.devkit.embedded_broker import EmbeddedBroker

EVENTS = 8


def watch(fetcher: Any, see: Callable[[], None]) -> None:
    """Have *see* called whenever the client looks what to ask for next."""
    look = fetcher._get_actions_per_node

    def look_seen(assignment: Any) -> Any:
        see()
        return look(assignment)

    fetcher._get_actions_per_node = look_seen


async def test_what_came_is_posted_before_more_is_asked_for(broker: EmbeddedBroker) -> None:
    """A post begins in a task that is made for it: that is a turn of the loop later."""
    steps: list[str] = []

    async def post() -> None:
        steps.append("posted")

    async with reader_of(broker) as reader, asyncio.TaskGroup() as tasks:
        await reader.joined()
        fetcher = reader.source._consumer._fetcher
        watch(fetcher, lambda: steps.append("asks too soon" if fetcher._records else "asks"))

        async def read() -> None:
            while len(reader.records) < EVENTS:
                if await reader.take():
                    steps.append("taken")
                    tasks.create_task(post())
                await asyncio.sleep(0)

        reading = tasks.create_task(read())
        for number in range(EVENTS):
            await publish(broker, FIRST, *numbers(number))
            await until(lambda: len(reader.records) > number)  # noqa: B023 - awaited at once
        await reading

    assert "asks too soon" not in steps
    after = [following for step, following in pairwise(steps) if step == "taken"]
    assert after == ["posted"] * EVENTS


async def test_the_next_fetch_follows_at_once(broker: EmbeddedBroker) -> None:
    """Also when the reader was there before the client knew that its fetch was done: not only when
    it looks by itself, which it does here once a minute.
    """
    async with reader_of(broker) as reader:
        await reader.joined()
        reader.source._consumer._fetcher._fetcher_timeout = 60.0

        for number in range(EVENTS):
            await publish(broker, FIRST, *numbers(number))
            await reader.until(lambda: len(reader.records) > number)  # noqa: B023 - awaited at once

    assert reader.values(0) == numbers(*range(EVENTS))
