"""Waiting for something to be so."""

import asyncio
from collections import Counter

from ingestor.devkit.fake_tuner.news import News


async def test_what_is_so_already_needs_no_news() -> None:
    """Nobody waits for what has happened."""
    await News().until(lambda: True, within=0.001)


async def test_news_wake_everybody_who_waits() -> None:
    """Each looks again after every piece of news and goes on waiting if it is not yet so."""
    news, seen = News(), Counter[str]()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        one = group.create_task(news.until(lambda: seen["news"] >= 1, within=5))
        two = [group.create_task(news.until(lambda: seen["news"] >= 2, within=5)) for _ in range(2)]
        await asyncio.sleep(0)

        seen["news"] += 1
        news.spread()
        await one
        assert not any(task.done() for task in two)

        seen["news"] += 1
        news.spread()
        await asyncio.wait(two)


async def test_waiting_has_an_end() -> None:
    """What does not become so is a TimeoutError, news or not."""
    news = News()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(times_out(news))
        await asyncio.sleep(0)
        news.spread()

    assert waiting.result()


async def times_out(news: News) -> bool:
    try:
        await news.until(lambda: False, within=0.02)
    except TimeoutError:
        return True
    return False
