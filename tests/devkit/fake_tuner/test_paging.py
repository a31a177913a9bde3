"""Writing long lists, and what stored calls may hold."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ingestor.devkit.fake_tuner.paging import Page, send_page, write

LONG = 1000


def toil(number: int) -> dict[str, Any]:
    """Take half a millisecond of the processor to show little: no full buffer gives a pause."""
    end = time.perf_counter() + 0.0005
    while time.perf_counter() < end:
        pass
    return {"number": number}


def copy(number: int) -> dict[str, Any]:
    """Show much at once: the buffers fill, and writing has to wait for the reader."""
    return {"number": number, "text": "x" * 50_000}


@asynccontextmanager
async def long_list(
    show: Callable[[int], dict[str, Any]],
) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Serve a long list and, beside it, something that is quick; tell when the list has ended."""
    ended = asyncio.Event()

    async def whole(request: web.Request) -> web.StreamResponse:
        try:
            return await send_page(request, Page(limit=LONG), range(LONG), show)
        finally:
            ended.set()

    async def quick(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.router.add_get("/whole", whole)
    application.router.add_get("/quick", quick)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}", ended
    finally:
        await runner.cleanup()


async def read(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url) as response:
        return await response.read()


async def test_a_long_list_does_not_hold_up_the_others(http: aiohttp.ClientSession) -> None:
    """While it is being written, other requests have their turn in between."""
    taken: list[float] = []
    async with long_list(toil) as (url, ended), asyncio.TaskGroup() as group:
        listing = group.create_task(read(http, f"{url}/whole"))
        while not ended.is_set():
            began = time.monotonic()
            await read(http, f"{url}/quick")
            taken.append(time.monotonic() - began)

    page = json.loads(listing.result())
    assert page == {"total": LONG, "items": [{"number": number} for number in range(LONG)]}
    assert len(taken) > 5
    assert sorted(taken)[len(taken) // 2] < 0.2


async def test_who_leaves_a_long_list_is_not_served_on(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that has seen enough ends its listing, and that is no error."""
    async with asyncio.timeout(5), long_list(copy) as (url, ended):
        response = await http.get(f"{url}/whole")
        response.close()
        await ended.wait()

    assert caplog.records == []


def test_what_json_says_is_written_as_json() -> None:
    """Plain values go through."""
    assert json.loads(write({"a": [1, "é", None]})) == {"a": [1, "é", None]}


def test_numbers_that_are_none_become_null() -> None:
    """NaN and infinities are no JSON."""
    assert write({"a": float("nan"), "b": float("inf")}) == b'{"a":null,"b":null}'


def test_what_only_python_can_write_is_written_by_python() -> None:
    """Lone surrogates and long integers survive."""
    value = {"a": "\ud800", "b": 2**64}

    assert json.loads(write(value)) == value


def test_what_nobody_can_write_is_named() -> None:
    """Past all depth the flat values are written, and the names of the others."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert json.loads(write({"id": 1, "normalised": {"a": deep}})) == {
        "id": 1,
        "unwritable": ["normalised"],
    }
