"""A server that does to its clients, byte by byte, what a script says."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CREATED = b'{"id": 1, "is_new": true}'


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in; *headers* by name in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def target(self) -> str:
        """The request target of the first line."""
        return self.line.split(" ")[1]


class Peer:
    """One connection, from the server's end."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[Request]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._requests = requests

    async def head(self) -> Request:
        """Read a request up to its body."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return Request(line, {name.lower(): value for name, value in pairs})

    async def request(self) -> Request:
        """Read a whole request, and note it."""
        head = await self.head()
        body = await self.reader.readexactly(int(head.headers.get("content-length", "0")))
        request = Request(head.line, head.headers, body)
        self._requests.append(request)
        return request

    async def send(self, *parts: bytes) -> None:
        """Send *parts*, each on its way before the next."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(
        self, status: str = "201 Created", body: bytes = CREATED, head: str = ""
    ) -> None:
        """Send a whole answer; *head* are further lines of it."""
        length = f"Content-Length: {len(body)}\r\n"
        await self.send(f"HTTP/1.1 {status}\r\n{length}{head}\r\n".encode("latin-1") + body)

    def reset(self) -> None:
        """Reset the connection (TCP RST)."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    def half_close(self) -> None:
        """Say that nothing more will come (TCP FIN), and go on listening."""
        self.writer.write_eof()

    async def close(self) -> None:
        """Close the connection, and wait until it is."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def closed(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(2**16):
                pass


Script = Callable[[Peer], Awaitable[None]]


@dataclass(slots=True)
class Hostile:
    """The server: where it is, how many connections were *opened*, and the whole *requests*; after
    *stop_listening* it serves those that are open.
    """

    port: int
    scheme: str
    requests: list[Request] = field(default_factory=list)
    opened: int = 0
    stop_listening: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    """Serve every connection by *script*, and close it when that is done.

    At the end every script is cancelled. A script may find that its client has gone; any other
    error in it fails the test.
    """
    peers: list[Peer] = []
    scripts: list[asyncio.Task[None]] = []

    async def play(peer: Peer) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(peer)
            await peer.close()
        finally:
            abort(peer.writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.opened += 1
        peers.append(peer := Peer(reader, writer, server.requests))
        scripts.append(tasks.create_task(play(peer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, backlog=500)
    port, scheme = listener.sockets[0].getsockname()[1], "https" if tls else "http"
    server = Hostile(port, scheme, stop_listening=listener.close)
    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                yield server
            finally:
                await end(listener)
                for task in scripts:
                    task.cancel()
    finally:
        # A script that is cancelled before it began closes nothing.
        for peer in peers:
            abort(peer.writer)
        await _turn()


def abort(writer: asyncio.StreamWriter) -> None:
    """Close a connection at once; one that is closed may be closed again."""
    with suppress(AttributeError):  # of Python 3.11.2, where it was secured and is gone
        writer.transport.abort()


async def end(server: asyncio.Server) -> None:
    """Have *server* listen no more.

    asyncio accepts in two steps and forgets, open, a connection that is between them when the
    server closes: so it first stops to begin, and is given time to finish.
    """
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    await _turn()
    server.close()


async def _turn() -> None:
    """Let the loop do what it has put off; none of it takes more than three turns."""
    for _ in range(3):
        await asyncio.sleep(0)


async def until(is_so: Callable[[], object], within: float = 5.0) -> None:
    """Wait until *is_so*; TimeoutError after *within* seconds."""
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110 - what it depends on does not tell us
            await asyncio.sleep(0.002)
