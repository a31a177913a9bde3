"""Keeps the connections to one server."""

import asyncio
import random
import socket
import ssl
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from ingestor.core.answer import Fault
from ingestor.edge.requests import CONNECT_SECONDS, IDLE_SECONDS
from ingestor.edge.wire.addresses import Addresses
from ingestor.edge.wire.connection import Connection
from ingestor.edge.wire.expiry import Expiry

# Then a connection is replaced, so that we follow a name that moves. Up to half as long again, or
# all would be replaced at once.
LIFE_SECONDS = 300.0
_PORTS = {"http": 80, "https": 443}
_UNKNOWN = {socket.EAI_NONAME, socket.EAI_NODATA}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a base URL leads: calls under different paths and keys share the connections."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Server":
        """Find the server of a *url* that the settings have found sound."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])


class Origin:
    """The connections to *server*: the one used last is used first, so that those of a peak come to
    rest, and what rests too long is closed before the server does it. No request on them may take
    longer than *timeout*.
    """

    def __init__(
        self,
        server: Server,
        tls: ssl.SSLContext,
        timeout: float,
        *,
        idle_seconds: float = IDLE_SECONDS,
        life_seconds: float = LIFE_SECONDS,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._tls = tls if server.scheme == "https" else None
        # A name may be written with a dot at its end; no certificate is.
        self._name = server.host.removesuffix(".") if self._tls else None
        self._addresses = Addresses(server.host, server.port)
        self._idle_seconds = idle_seconds
        self._life_seconds = life_seconds
        # When each is to be replaced.
        self._open: dict[Connection, float] = {}
        # In the order of their coming to rest.
        self._resting: dict[Connection, None] = {}
        self._expiry = Expiry(self._open, min(timeout, idle_seconds))
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def take(self) -> Connection | None:
        """Take a connection that rests, if there is one."""
        while self._resting:
            connection, _ = self._resting.popitem()
            if not connection.is_closing():
                return connection
        return None

    def give_back(self, connection: Connection) -> None:
        """Keep *connection* for others; one that still waits, or has lived long, is closed."""
        now = self._loop.time()
        if connection.waiter or connection.is_closing() or now >= self._open[connection]:
            connection.abort()
        else:
            connection.due = now + self._idle_seconds
            self._resting[connection] = None

    async def connect(self, deadline: float) -> Connection | Fault:
        """Open another connection before the *deadline* of its first request, TLS included."""
        try:
            async with asyncio.timeout_at(min(deadline, self._loop.time() + CONNECT_SECONDS)):
                connection = await self._connect()
        except (OSError, UnicodeError) as error:
            return _fault(error)
        # It took a while: that is nearer than those of others.
        self._expiry.announce(deadline)
        return connection

    async def close(self) -> None:
        """Close all of them, and wait until they are."""
        self._expiry.close()
        for connection in self._open:
            connection.abort()
        await self._is_empty.wait()

    async def _connect(self) -> Connection:
        way = await self._addresses.connect()
        way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self)
        try:
            await self._loop.create_connection(
                lambda: cast("asyncio.Protocol", connection),
                sock=way,
                ssl=self._tls,
                server_hostname=self._name,
            )
        except BaseException:
            # Told to give up when it stands already, uvloop closes it and tells nobody.
            self.parted(connection)
            raise
        return connection

    def joined(self, connection: Connection) -> None:
        """Note that *connection* is open."""
        life = self._life_seconds * (1 + random.random() / 2)  # noqa: S311 - guards nothing
        self._open[connection] = self._loop.time() + life
        self._is_empty.clear()
        self._expiry.start()

    def parted(self, connection: Connection) -> None:
        """Note that it is closed."""
        self._resting.pop(connection, None)
        self._open.pop(connection, None)
        if not self._open:
            self._is_empty.set()


def _fault(error: OSError | UnicodeError) -> Fault:
    match error:
        case socket.gaierror(errno=code) if code in _UNKNOWN:
            return Fault.UNKNOWN_HOST
        case UnicodeError():
            return Fault.UNKNOWN_HOST
        case ssl.SSLError():
            return Fault.TLS
        case _:
            return Fault.CONNECT
