"""Connections without a client library in between, on either event loop."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import uvloop
from devkit.fake_tuner.practice import call, write
from yarl import URL

from ingestor.devkit.fake_tuner import FakeTuner, Fault, Options, Script

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def on_each_loop(
    test: Callable[[], Awaitable[None]],
) -> Callable[[str, pytest.LogCaptureFixture], None]:
    """Run *test* on the standard loop and on uvloop; nothing may be logged as an error."""

    @pytest.mark.parametrize("loop", LOOPS)
    def run(loop: str, caplog: pytest.LogCaptureFixture) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(10):
                await test()

        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(bounded())
        assert caplog.records == []

    run.__doc__ = test.__doc__
    return run


def meeting(*faults: Fault, tls: ssl.SSLContext | None = None) -> FakeTuner:
    """Make a fake Tuner whose first requests meet *faults*."""
    return FakeTuner(Options(faults=(Script(answers=faults),), tls=tls))


@asynccontextmanager
async def connected(
    tuner: FakeTuner, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection, and let it go without ceremony at the end."""
    url = URL(tuner.url)
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


def request(body: bytes, **headers: str) -> bytes:
    """Write a whole request to create a call."""
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        "POST /api/v1/public/call?workspace_id=1&agent_remote_identifier=a1 HTTP/1.1\r\n"
        "Host: tuner\r\nAuthorization: Bearer demo-key\r\nContent-Type: application/json\r\n"
        f"{named}\r\n"
    )
    return head.encode() + body


async def send(writer: asyncio.StreamWriter) -> None:
    """Send a valid call."""
    body = write(call())
    writer.write(request(body, Content_Length=str(len(body))))
    await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read the status and the headers (in lower case) of an answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:-1])
