"""Chooses the wire to Tuner."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager

from yarl import URL

from ingestor.edge.proxies import proxy_for
from ingestor.edge.requests import Kind, Wire
from ingestor.edge.tuner_aiohttp import AiohttpTuner, aiohttp_tuner
from ingestor.edge.tuner_lean import LeanTuner


def choose(wish: str, urls: Iterable[str], proxies: Mapping[str, str]) -> Kind:
    """Choose the wire to *urls*: the one of the *wish*, or with `auto` aiohttp's where one of them
    is reached through a proxy, which the lean one cannot.
    """
    if wish != "auto":
        return Kind(wish)
    is_proxied = any(proxy_for(URL(url), proxies) for url in urls)
    return Kind.AIOHTTP if is_proxied else Kind.LEAN


@asynccontextmanager
async def open_tuner(
    wire: Wire, headers: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[LeanTuner | AiohttpTuner]:
    """Open the wire of that kind."""
    if wire.kind is Kind.LEAN:
        async with aclosing(LeanTuner(wire, headers)) as lean:
            yield lean
    else:
        async with aiohttp_tuner(wire, headers) as tuner:
            yield tuner
