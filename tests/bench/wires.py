"""Measures what a post costs on each wire: `bench.parts` shows it.

Both post to one sink in a process of its own. What counts is the CPU time of this process for one
post; posts a second also depend on the sink.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import cast

import uvloop
from edge.certificates import Authority, Certificate, server_context

from ingestor.core.answer import Answered
from ingestor.core.route import Destination, Route
from ingestor.edge.requests import Kind, Wire
from ingestor.edge.tls import Tls
from ingestor.edge.tuner_aiohttp import AiohttpTuner
from ingestor.edge.tuner_lean import LeanTuner
from ingestor.edge.tuners import open_tuner

KEY = {"default": {"X-API-Key": "k", "Authorization": "Bearer k"}}
ANSWER = b'{"id": 1, "provider_call_id": "call-00000001", "is_new": true}'
CREATED = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    b"Date: Wed, 10 Jun 2026 12:00:35 GMT\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
)
LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.IGNORECASE)


class Sink(asyncio.Protocol):
    """Counts the bytes of requests, and says 201 to each."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in what came; a request is never sent ahead of an answer."""
        if not self._left:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            found = LENGTH.search(self._head)
            if end < 0 or found is None:
                return
            self._left = end + 4 + int(found[1])
            data, self._head = self._head, b""
        self._left -= len(data)
        if not self._left:
            self._transport.write(CREATED)


@dataclass(frozen=True, slots=True)
class Target:
    """Where the sink is, and the file of its authority where it speaks TLS."""

    url: str
    ca: str | None = None


async def serve(pipe: Connection, certificate: Certificate | None) -> None:
    """Serve until the process is ended; tell the port."""
    tls = server_context(certificate) if certificate else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0, backlog=2048, ssl=tls)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def sink(pipe: Connection, certificate: Certificate | None) -> None:
    """Be the sink's process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(pipe, certificate))


@contextmanager
def running_sink(authority: Authority | None = None) -> Iterator[Target]:
    """Run the sink, over TLS with a certificate of *authority*."""
    certificate = authority.sign("sink") if authority else None
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=sink, args=(theirs, certificate), daemon=True)
    process.start()
    theirs.close()  # else nothing would tell us that it ended before it served
    try:
        address = f"127.0.0.1:{ours.recv()}"
        yield (
            Target(f"https://{address}", authority.ca) if authority else Target(f"http://{address}")
        )
    finally:
        process.terminate()
        process.join()


def cost(kind: Kind, target: Target, *, posts: int, slots: int, body: bytes) -> float:
    """Post *body* so often on a wire of that *kind*, on a loop of its own, with *slots* posts at a
    time; return the seconds of CPU that one took, without the connecting. TypeError when one is not
    answered.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_cost(kind, target, posts=posts, slots=slots, body=body))


async def _cost(kind: Kind, target: Target, *, posts: int, slots: int, body: bytes) -> float:
    wire = Wire(15.0, Tls(target.ca), "bench", {}, kind)
    async with open_tuner(wire, KEY) as tuner:
        await _post(tuner, target.url, posts=slots, slots=slots, body=body)
        used = time.process_time()
        await _post(tuner, target.url, posts=posts, slots=slots, body=body)
        return (time.process_time() - used) / posts


async def _post(
    tuner: LeanTuner | AiohttpTuner, url: str, *, posts: int, slots: int, body: bytes
) -> None:
    route = Route(Destination(url, "default"), "7", "front-desk")
    left = iter(range(posts))

    async def post() -> None:
        for _ in left:
            answer = await tuner.post(body, route)
            if not isinstance(answer, Answered):
                raise TypeError(answer)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(slots):
            tasks.create_task(post())
