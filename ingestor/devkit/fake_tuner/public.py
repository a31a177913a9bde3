"""The road of a request: logged, met by a fault or served, and put onto the wire."""

import asyncio
import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from ingestor.devkit.fake_tuner.answers import Answer, detail
from ingestor.devkit.fake_tuner.fault_plan import FaultPlan
from ingestor.devkit.fake_tuner.log import Entry, Log
from ingestor.devkit.fake_tuner.options import Options
from ingestor.devkit.fake_tuner.pace import Pace, Throttle
from ingestor.devkit.fake_tuner.performance import perform
from ingestor.devkit.fake_tuner.received import Received, receive
from ingestor.devkit.fake_tuner.service import Service
from ingestor.devkit.fake_tuner.wire import Abort, Sending, has_left, send, status_of

PATH = "/api/v1/public/call"
TRACES = "/api/v1/traces"


class Public:
    """Handle everything outside the admin routes."""

    def __init__(self, options: Options, *, service: Service, log: Log, plan: FaultPlan) -> None:
        self._options = options
        self._service = service
        self._log = log
        self._plan = plan
        self._pace = Pace(options.latency, options.capacity, options.seed)
        rate = options.max_rate
        self._under_way: set[asyncio.Task[Any]] = set()
        self._throttle = None if rate is None else Throttle(rate, time.monotonic())

    async def create_call(self, request: web.Request) -> web.StreamResponse:
        """Handle the one route that counts."""
        with self._line(request) as entry:
            return await self._finish(request, entry, await self._decide(request, entry))

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Handle every other path."""
        with self._line(request) as entry:
            return await self._finish(request, entry, self._find(request))

    async def drop(self) -> None:
        """Cancel the requests being served, also those whose client has left, and see them end."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    @contextmanager
    def _line(self, request: web.Request) -> Iterator[Entry]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - aiohttp runs every request in a task
        self._under_way.add(task)
        try:
            with self._log.line(request.method, request.path, _port(request)) as entry:
                yield entry
        finally:
            self._under_way.discard(task)

    async def _finish(
        self, request: web.Request, entry: Entry, sending: Sending
    ) -> web.StreamResponse:
        entry.status = status_of(sending)
        entry.client_left = has_left(request)
        return await send(request, sending)

    async def _decide(self, request: web.Request, entry: Entry) -> Sending:
        if request.method != "POST":
            return detail(405, allow="POST")
        try:
            # A body in broken chunks never ends for aiohttp: without a limit it would hang here.
            async with asyncio.timeout(self._options.body_seconds):
                raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return detail(413)
        except TimeoutError:
            return detail(408)
        except ConnectionError:
            return Abort()
        received = receive(request, raw, self._options)
        _describe(entry, received)
        answer: Answer | None = None

        async def serve() -> Answer:
            nonlocal answer
            if answer is None:
                answer = await self._serve(received, entry)
            return answer

        fault = self._plan.next(received.sender, time.monotonic())
        if fault is None:
            return await serve()
        entry.fault = fault.kind
        return await perform(fault, serve)

    async def _serve(self, received: Received, entry: Entry) -> Answer:
        if self._throttle is not None and (wait := self._throttle.wait(time.monotonic())):
            return detail(429, retry_after=str(math.ceil(wait)))
        await self._pace.take()
        served = self._service.serve(received)
        entry.stored, entry.duplicate = served.stored, served.duplicate
        self._log.news.spread()
        return served.answer

    def _find(self, request: web.Request) -> Answer:
        if (request.method, request.path) == ("POST", TRACES):
            return Answer(200, content_type="application/x-protobuf")
        if request.path.rstrip("/") == PATH and self._options.trailing_slash == 307:  # noqa: PLR2004 - a status
            query = request.raw_path.partition("?")[1:]
            location = f"{request.scheme}://{request.host}{PATH}{''.join(query)}"
            return Answer(307, content_type=None, headers=(("Location", location),))
        return detail(404)


def _port(request: web.Request) -> int | None:
    name = request.get_extra_info("peername")
    return name[1] if name else None


def _describe(entry: Entry, received: Received) -> None:
    entry.call_id = received.call_id
    entry.agent = received.query.agent
    entry.workspace_id = received.query.workspace_id
    entry.size = len(received.raw)
    entry.sha256 = hashlib.sha256(received.raw).hexdigest()
