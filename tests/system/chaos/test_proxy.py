"""The proxy changes no byte, and each of its faults is what a client of a real network meets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf

import pytest
from system.chaos.proxy import Proxy, Way

PATIENCE = 5.0
# Long against what loopback needs, short against the patience of a test.
NOTHING_WITHIN = 0.15


class Client:
    """One connection through the proxy to a server that sends back what it gets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send *data*."""
        self.writer.write(data)

    async def receive(self, count: int) -> bytes:
        """Wait for *count* bytes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(count)

    async def is_silent(self) -> bool:
        """Tell whether nothing arrives."""
        with suppress(TimeoutError):
            async with asyncio.timeout(NOTHING_WITHIN):
                await self.reader.read(1)
                return False
        return True

    async def is_reset(self) -> bool:
        """Wait for the end of the connection; tell whether it was a reset."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read() == b"never"
            except ConnectionResetError:
                return True


class Echo:
    """A server that sends back what it gets; *ports* are those that its clients came from."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.got = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.ports.append(writer.get_extra_info("peername")[1])
        with suppress(ConnectionError):
            while data := await reader.read(2**16):
                self.got += data
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[Proxy, Echo]]:
    """Serve an echo behind a proxy."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]).serving() as proxy:
        yield proxy, echo


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    """Connect to *proxy*."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def eventually(is_so: object) -> None:
    """Wait until *is_so* gives something true."""
    assert callable(is_so)
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - what it depends on does not tell us
            await asyncio.sleep(0.005)


async def test_every_byte_passes_both_ways() -> None:
    """Also a megabyte at once, and the end of the stream."""
    data = bytes(range(256)) * 4096
    async with proxied() as (proxy, echo), connected(proxy) as client:
        client.send(data)
        assert await client.receive(len(data)) == data
        client.writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.read() == b""

    assert echo.got == data


async def test_it_knows_whose_connection_the_server_saw_and_when_it_was_left() -> None:
    """The log of a server names ports: they lead back to the proxy, and so to its one client."""
    async with proxied() as (proxy, echo):
        async with connected(proxy) as client:
            client.send(b"a")
            await client.receive(1)
            (link,) = proxy.links
            assert [link.port] == echo.ports
            assert link.left == inf
        closed = time.monotonic()
        await eventually(lambda: link.left < inf)

    assert abs(link.left - closed) < PATIENCE
    assert not link.is_disturbed(0.0, link.left)


async def test_a_cut_resets_what_there_is_and_nothing_else() -> None:
    """The next connection works."""
    async with proxied() as (proxy, _), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)

        assert proxy.cut() == 1

        assert await client.is_reset()
        async with connected(proxy) as other:
            other.send(b"b")
            assert await other.receive(1) == b"b"
        first, second = proxy.links
        assert first.is_disturbed(0.0, inf)
        assert not second.is_disturbed(0.0, inf)


async def test_refused_means_refused_until_the_last_refusal_is_over() -> None:
    """The port stays the same, and stays ours."""
    async with proxied() as (proxy, _), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)
        async with proxy.refusing():
            async with proxy.refusing():
                assert await client.is_reset()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", proxy.port)
        async with connected(proxy) as other:
            other.send(b"b")
            assert await other.receive(1) == b"b"


async def test_what_is_stalled_comes_late_and_whole() -> None:
    """New connections are taken and hear nothing either."""
    async with proxied() as (proxy, echo), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)
        async with proxy.stalling():
            client.send(b"b")
            async with connected(proxy) as other:
                other.send(b"c")
                assert await other.is_silent()
                assert await client.is_silent()
                assert echo.got == b"a"
        assert await client.receive(1) == b"b"
        assert all(link.is_disturbed(0.0, inf) for link in proxy.links)


async def test_answers_can_be_held_back_alone() -> None:
    """The server does what it was asked, and the client does not learn of it."""
    async with proxied() as (proxy, echo), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)
        async with proxy.stalling(Way.TO_CLIENT):
            client.send(b"b")
            await eventually(lambda: echo.got == b"ab")
            assert await client.is_silent()
        assert await client.receive(1) == b"b"


async def test_what_is_forgotten_never_comes() -> None:
    """A router that lost its table answers what it does not know with a reset."""
    async with proxied() as (proxy, echo), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)
        async with proxy.forgetting():
            client.send(b"b")
            assert await client.is_silent()
        assert await client.is_reset()
        async with connected(proxy) as other:
            other.send(b"c")
            assert await other.receive(1) == b"c"
        assert echo.got == b"ac"


async def test_an_orphan_hears_nothing_any_more_and_is_not_told() -> None:
    """Not even that its connection is gone; the next one works."""
    async with proxied() as (proxy, echo), connected(proxy) as client:
        client.send(b"a")
        await client.receive(1)

        assert proxy.orphan() == 1

        client.send(b"b")
        assert await client.is_silent()
        async with connected(proxy) as other:
            other.send(b"c")
            assert await other.receive(1) == b"c"
        assert echo.got == b"ac"


async def test_a_drip_is_slow_and_whole() -> None:
    """So many bytes a second, not fewer for ever and not all at once."""
    data = bytes(1_000)
    async with proxied() as (proxy, _), connected(proxy) as client:
        async with proxy.dripping(10_000.0):
            began = time.monotonic()
            client.send(data)
            assert await client.receive(len(data)) == data
            took = time.monotonic() - began
        client.send(data)
        assert await client.receive(len(data)) == data

    assert took >= len(data) / 10_000.0 * 0.75  # the first drop falls at once


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    """The client learns of it, at once."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Proxy(port).serving() as proxy, connected(proxy) as client:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                assert await client.reader.read() == b""
