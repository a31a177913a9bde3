"""A TCP proxy that does to connections what networks do, and changes not a byte.

What it keeps of each connection tells afterwards who sent a request, and whether its answer can
have arrived.
"""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from brokers import reserve_port
from edge.hostile import end

from ingestor.devkit.fake_tuner.background import Background, background

# On for 0 seconds: closing throws away what is unsent and says RST instead of FIN.
_LINGER = struct.pack("ii", 1, 0)
_CHUNK = 64 * 1024
_BACKLOG = 1024
_DRIP_SECONDS = 0.02


class Way(StrEnum):
    """Name a direction through the proxy."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


@dataclass(slots=True, eq=False)
class Link:
    """What is known of one connection through the proxy, in seconds of the monotonic clock.

    *port* is what the server sees as the client's. *left* is when the client closed its end,
    *disturbed* when the proxy did what was not asked of it: from the first to the last of it.
    """

    opened: float
    port: int = 0
    left: float = inf
    disturbed: list[tuple[float, float]] = field(default_factory=list)

    def is_disturbed(self, begin: float, end: float) -> bool:
        """Tell whether the proxy interfered between *begin* and *end*."""
        return any(first <= end and last >= begin for first, last in self.disturbed)


class Proxy:
    """Stand at 127.0.0.1:*port* (0: any) and pass everything on to the port *target*.

    Faults of one kind may overlap; each ends with its own block.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._holder = None if port else reserve_port()
        self.port = port or self._holder_port()
        self.links: list[Link] = []
        self._open: dict[Link, list[asyncio.StreamWriter]] = {}
        self._orphans: set[Link] = set()
        self._refusals = 0
        self._server: asyncio.Server | None = None
        self._tasks: Background
        self._held = dict.fromkeys(Way, 0)
        self._flows = {way: asyncio.Event() for way in Way}
        self._rates: list[float] = []

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Serve beside the block; at its end every connection is reset."""
        for event in self._flows.values():
            event.set()
        try:
            async with background() as self._tasks:
                await self._listen()
                try:
                    yield self
                finally:
                    await self._deafen()
                    self.cut()
        finally:
            if self._holder is not None:
                self._holder.close()

    def cut(self) -> int:
        """Reset every connection there is; return how many."""
        now = time.monotonic()
        for link, writers in self._open.items():
            link.disturbed.append((now, now))
            _reset(writers)
        return len(self._open)

    def orphan(self) -> int:
        """Lose what passes on every connection there is, for good and without a word; return how
        many. New ones work.
        """
        for link in self._open:
            link.disturbed.append((time.monotonic(), inf))
            self._orphans.add(link)
        return len(self._open)

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Cut what there is and refuse new connections."""
        self._refusals += 1
        await self._deafen()
        self.cut()
        try:
            yield
        finally:
            self._refusals -= 1
            if not self._refusals:
                await self._listen()

    @asynccontextmanager
    async def stalling(self, *ways: Way) -> AsyncIterator[None]:
        """Accept connections and let nothing through *ways* (none named: neither way); what was
        held back comes late.
        """
        with self._disturbing(), self._holding(ways or tuple(Way)):
            yield

    @asynccontextmanager
    async def forgetting(self) -> AsyncIterator[None]:
        """Let nothing through, and at the end reset what was open: a router that lost its table."""
        with self._disturbing(), self._holding(tuple(Way)):
            yield
            self.cut()

    @asynccontextmanager
    async def dripping(self, rate: float) -> AsyncIterator[None]:
        """Pass on *rate* bytes a second at most, each way of each connection."""
        self._rates.append(rate)
        try:
            with self._disturbing():
                yield
        finally:
            self._rates.remove(rate)

    @contextmanager
    def _disturbing(self) -> Iterator[None]:
        began, before = time.monotonic(), len(self.links)
        affected = list(self._open)
        for link in affected:
            link.disturbed.append((began, inf))
        try:
            yield
        finally:
            now = time.monotonic()
            for link in affected:
                link.disturbed.remove((began, inf))
                link.disturbed.append((began, now))
            for link in self.links[before:]:
                link.disturbed.append((link.opened, now))

    @contextmanager
    def _holding(self, ways: tuple[Way, ...]) -> Iterator[None]:
        for way in ways:
            self._held[way] += 1
            self._flows[way].clear()
        try:
            yield
        finally:
            for way in ways:
                self._held[way] -= 1
                if not self._held[way]:
                    self._flows[way].set()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, sock=_bound(self.port), backlog=_BACKLOG, limit=_CHUNK
        )

    async def _deafen(self) -> None:
        """Stop listening; the port stays reserved by whoever chose it."""
        server, self._server = self._server, None
        if server is not None:
            await end(server)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.start(self._relay(reader, writer))

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # accepted while it was already to be refused
            _reset([writer])
            return
        link, writers = Link(time.monotonic()), [writer]
        self.links.append(link)
        self._open[link] = writers
        try:
            with suppress(OSError):
                await self._flows[Way.TO_SERVER].wait()
                answers, server = await asyncio.open_connection(
                    "127.0.0.1", self._target, limit=_CHUNK
                )
                writers.append(server)
                link.port = server.get_extra_info("sockname")[1]
                async with asyncio.TaskGroup() as pumps:
                    pumps.create_task(self._upwards(reader, server, link))
                    pumps.create_task(self._pump(answers, writer, Way.TO_CLIENT, link))
        finally:
            del self._open[link]
            _reset(writers)

    async def _upwards(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, link: Link
    ) -> None:
        try:
            await self._pump(reader, server, Way.TO_SERVER, link)
        finally:
            link.left = min(link.left, time.monotonic())

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, link: Link
    ) -> None:
        """Carry bytes one way until their source ends; then say so to the other side."""
        try:
            while data := await reader.read(_CHUNK):
                await self._flows[way].wait()
                if link not in self._orphans:
                    await self._write(writer, data)
            await self._flows[way].wait()
            writer.write_eof()
        except OSError:
            _reset([writer])

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        while self._rates and data:
            some = max(1, int(min(self._rates) * _DRIP_SECONDS))
            writer.write(data[:some])
            await writer.drain()
            await asyncio.sleep(_DRIP_SECONDS)
            data = data[some:]
        writer.write(data)
        await writer.drain()

    def _holder_port(self) -> int:
        assert self._holder is not None
        port: int = self._holder.getsockname()[1]
        return port


def _reset(writers: Iterable[asyncio.StreamWriter]) -> None:
    for writer in writers:
        if not writer.transport.is_closing():
            ours = writer.get_extra_info("socket")
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            writer.transport.abort()


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
