"""Compare what a post costs on each wire: `python tests/bench/wires.py --posts 20000`.

Both post to one sink in a process of its own, turn and turn about, since a machine has moods. What
counts is the CPU time of this process for one post; posts a second also depend on the sink.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple, cast

import uvloop

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


class Cost(NamedTuple):
    """What posts cost: how many there were a second, and the microseconds of CPU for each."""

    rate: float
    cpu: float


async def serve(pipe: Connection) -> None:
    """Serve until the process is ended; tell the port."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0, backlog=2048)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def sink(pipe: Connection) -> None:
    """Be the sink's process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(pipe))


@contextmanager
def running_sink() -> Iterator[int]:
    """Run the sink; give its port."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=sink, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


async def measure(kind: Kind, port: int, given: argparse.Namespace) -> Cost:
    """Post on a wire of that *kind*."""
    route = Route(Destination(f"http://127.0.0.1:{port}", "default"), "7", "front-desk")
    body = b'{"call_id": "a", "text": "%b"}' % (b"x" * given.size)
    left = iter(range(given.posts))

    async def post(tuner: LeanTuner | AiohttpTuner) -> None:
        for _ in left:
            answer = await tuner.post(body, route)
            if not isinstance(answer, Answered):
                raise TypeError(answer)

    async with open_tuner(Wire(15.0, Tls(), "bench", {}, kind), KEY) as tuner:
        began, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(given.slots):
                tasks.create_task(post(tuner))
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return Cost(given.posts / seconds, 1e6 * cpu / given.posts)


def say(line: str) -> None:
    """Print *line* at once."""
    print(line, flush=True)  # noqa: T201 - what it is for


def main() -> None:
    """Measure, and print a line for each run and the best of each wire."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=20_000, help="for each run")
    parser.add_argument("--slots", type=int, default=64, help="requests in flight")
    parser.add_argument("--size", type=int, default=4_000, help="bytes of a body")
    parser.add_argument("--runs", type=int, default=3, help="of each wire")
    given = parser.parse_args()
    best = dict.fromkeys(Kind, Cost(0.0, float("inf")))
    with running_sink() as port:
        for kind in [*Kind] * given.runs:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                cost = runner.run(measure(kind, port, given))
            say(f"{kind:8} {cost.rate:8.0f} posts/s {cost.cpu:7.1f} us of CPU each")
            best[kind] = Cost(max(best[kind].rate, cost.rate), min(best[kind].cpu, cost.cpu))
    lean, other = best[Kind.LEAN], best[Kind.AIOHTTP]
    say(f"lean: {lean.rate / other.rate:.1f} x the posts/s, {lean.cpu / other.cpu:.2f} x the CPU")


if __name__ == "__main__":
    main()
