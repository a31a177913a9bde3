"""Sends long lists as JSON, a page at a time and in pieces, so that nobody else has to wait."""

import asyncio
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from ingestor.devkit.fake_tuner.answers import JSON

# Some 3 ms of work: what the requests being served wait for between two pieces.
_BATCH = 16

T = TypeVar("T")


class Page(BaseModel):
    """Ask for *limit* items from the *offset*-th on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = 1000


async def send_page(
    request: web.Request, page: Page, items: Iterable[T], show: Callable[[T], dict[str, Any]]
) -> web.StreamResponse:
    """Send `{"total": n, "items": [...]}` with the items of *page*, each turned by *show*."""
    chosen = list(items)
    shown = map(show, chosen[page.offset : page.offset + page.limit])
    response = web.StreamResponse(headers={"Content-Type": JSON})
    await response.prepare(request)
    try:
        await response.write(b'{"total":%d,"items":[' % len(chosen))
        separator = b""
        while batch := list(islice(shown, _BATCH)):
            await response.write(separator + b",".join(map(write, batch)))
            separator = b","
            await asyncio.sleep(0)
        await response.write(b"]}")
    except ConnectionError:
        # Whoever asked has left; there is nobody to tell.
        return response
    return response


def write(value: dict[str, Any]) -> bytes:
    """Write *value* as JSON, whatever a stored call may hold.

    NaN and infinities become null. Lone surrogates and integers past 64 bits need Python's own
    writer; what even that cannot write, for it nests too deeply, is left out by name.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        pass
    try:
        return json.dumps(value).encode()
    except RecursionError:
        flat = {name: held for name, held in value.items() if not isinstance(held, dict | list)}
        return orjson.dumps({**flat, "unwritable": sorted(value.keys() - flat.keys())})
