"""Listens on one port, and can stop listening for a while without losing it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from yarl import URL

from ingestor.devkit.fake_tuner.wire import reset

_BACKLOG = 1024


class Listener:
    """Bring connections to *runner*, from `open` to `close`."""

    def __init__(self, runner: web.AppRunner, tls: ssl.SSLContext | None) -> None:
        self._runner = runner
        self._tls = tls
        self._family = socket.AF_INET
        self._address: Any = None
        self._site: web.SockSite
        self._socket: socket.socket
        self._refusals = 0
        self._is_refusing = False
        self._change = asyncio.Lock()

    async def open(self, host: str, port: int) -> str:
        """Listen and return the base URL; port 0 takes a free one. Raise OSError if none is had."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self._family, *_, self._address = found[0]
        self._socket = self._bind()
        self._address = self._socket.getsockname()
        await self._listen()
        scheme = "https" if self._tls else "http"
        return str(URL.build(scheme=scheme, host=host, port=self._address[1]))

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuse new connections and reset the open ones, until the last such block is left."""
        self._refusals += 1
        try:
            async with self._change:
                if not self._is_refusing:
                    await self._refuse()
            yield
        finally:
            self._refusals -= 1
            async with self._change:
                if self._is_refusing and not self._refusals:
                    await self._listen()

    async def close(self) -> None:
        """Stop listening, for good."""
        # asyncio accepts in two steps and forgets, open, a connection that is between them when
        # the server closes: so it first stops to begin, and is given time to finish.
        asyncio.get_running_loop().remove_reader(self._socket)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            await self._site.stop()

    async def _refuse(self) -> None:
        self._is_refusing = True
        try:
            await self.close()
        finally:
            # Bound but not listening: the kernel refuses connections and gives the port to nobody
            # else, neither to another server nor to a client as its own end.
            self._socket = self._bind()
        assert self._runner.server is not None  # noqa: S101 - it is there from set-up to clean-up
        for connection in self._runner.server.connections:
            reset(connection.transport)

    async def _listen(self) -> None:
        self._site = web.SockSite(
            self._runner, self._socket, ssl_context=self._tls, backlog=_BACKLOG
        )
        await self._site.start()
        self._is_refusing = False

    def _bind(self) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(self._address)
        except OSError:
            sock.close()
            raise
        return sock
