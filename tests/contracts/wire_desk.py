"""A wire to Tuner for the contract, with a server behind it that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import assert_never
from urllib.parse import parse_qs, urlsplit

from builders import destination
from edge.hostile import Hostile, Peer, Request, serving
from edge.posting import Client

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.route import Destination
from ingestor.edge.requests import Kind
from ingestor.edge.tuner_aiohttp import AiohttpTuner
from ingestor.edge.tuner_lean import LeanTuner

# Long enough for two hundred requests at a time on a busy machine.
TIMEOUT_SECONDS = 10.0


class WireDesk:
    """A *tuner* over a wire of some *kind*, and its server."""

    def __init__(
        self, tuner: AiohttpTuner | LeanTuner, server: Hostile, counter: "Counter"
    ) -> None:
        self.tuner = tuner
        self.answer = counter.tell
        self.hold = counter.hold
        self.release = counter.release
        self._server = server

    @property
    def destination(self) -> Destination:
        """Where the server is."""
        return destination(self._server.url)

    @property
    def arrivals(self) -> int:
        """How many requests have reached the server."""
        return len(self._server.requests)

    def received(self) -> Sequence[tuple[bytes, str, str]]:
        """List the requests: body, workspace and agent."""
        return [_received(request) for request in self._server.requests]


class Counter:
    """Answers 201 unless it was told something else."""

    def __init__(self, usual: Answered) -> None:
        self._usual = usual
        self._next: list[Answer] = []
        self._open = asyncio.Event()
        self._open.set()
        self.hold = self._open.clear
        self.release = self._open.set

    def tell(self, *answers: Answer) -> None:
        """Have it give these *answers* first, one after the other."""
        self._next += answers

    async def serve(self, peer: Peer) -> None:
        """Serve a connection."""
        while True:
            await peer.request()
            await self._open.wait()
            answer = self._next.pop(0) if self._next else self._usual
            match answer:
                case Answered(status, body, retry_after):
                    wait = "" if retry_after is None else f"Retry-After: {retry_after}\r\n"
                    await peer.answer(f"{status} Hm", body, wait)
                case Unanswered(Fault.TIMEOUT):
                    return await peer.closed()
                case Unanswered(Fault.CUT_OFF):
                    return await peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{")
                case Unanswered():
                    return None
                case unknown:
                    assert_never(unknown)


@asynccontextmanager
async def wire_desk(kind: Kind, usual: Answered) -> AsyncIterator[WireDesk]:
    """Open the wire of that *kind* and a server that gives the *usual* answer."""
    counter = Counter(usual)
    async with (
        serving(counter.serve) as server,
        Client(kind).opened(timeout=TIMEOUT_SECONDS) as tuner,
    ):
        yield WireDesk(tuner, server, counter)


def _received(request: Request) -> tuple[bytes, str, str]:
    query = parse_qs(urlsplit(request.target).query)
    return request.body, query["workspace_id"][0], query["agent_remote_identifier"][0]
