"""The operations port: liveness, readiness and metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from ingestor.edge.health import Health
from ingestor.edge.metrics import Metrics

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class _Pages:
    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics

    async def livez(self, _: web.Request) -> web.Response:
        """Answer at all: neither Tuner nor Kafka has a say in whether the process lives."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        obstacles = self._health.obstacles
        body = orjson.dumps(
            {"ready": not obstacles, "because": obstacles}, option=orjson.OPT_APPEND_NEWLINE
        )
        return web.Response(
            body=body, status=503 if obstacles else 200, content_type="application/json"
        )

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": TEXT_FORMAT})


@asynccontextmanager
async def operations(host: str, port: int, health: Health, metrics: Metrics) -> AsyncIterator[int]:
    """Serve the pages on *host* and *port*; give the port, which the system chooses for 0.

    OSError when it is taken.
    """
    pages = _Pages(health, metrics)
    site = web.Application()
    site.add_routes(
        [
            web.get("/livez", pages.livez),
            web.get("/readyz", pages.readyz),
            web.get("/metrics", pages.metrics),
        ]
    )
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
