"""Whatever a server or the network does, a post ends with an answer and never with an exception."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from brokers import reserve_port
from builders import circumstances, destination, route
from edge.hostile import Peer, serving
from edge.posting import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.judgement import judge

OK = b"HTTP/1.1 201 Created\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def closing(*parts: bytes) -> Callable[[Peer], Awaitable[None]]:
    """Take a request, send *parts*, and close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)

    return script


def resetting(*parts: bytes) -> Callable[[Peer], Awaitable[None]]:
    """Take a request, send *parts*, let them arrive, and reset the connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)
        if parts:
            # A reset throws away what the other side has not read; nothing says when it has.
            await asyncio.sleep(0.05)
        peer.reset()

    return script


async def reset_at_once(peer: Peer) -> None:
    peer.reset()


async def reset_below_the_request(peer: Peer) -> None:
    await peer.head()
    peer.reset()


async def close_at_once(_: Peer) -> None:
    pass


async def speak_first(peer: Peer) -> None:
    await peer.send(b"220 mail.example.test ESMTP\r\n")
    await peer.closed()


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        pytest.param(reset_at_once, Fault.DISCONNECTED, id="reset at once"),
        pytest.param(reset_below_the_request, Fault.DISCONNECTED, id="reset below the request"),
        pytest.param(resetting(), Fault.DISCONNECTED, id="reset before the head"),
        pytest.param(resetting(OK[:9]), Fault.DISCONNECTED, id="reset in the head"),
        pytest.param(
            resetting(OK + b"Content-Length: 9\r\n\r\n"), Fault.CUT_OFF, id="reset after the head"
        ),
        pytest.param(
            resetting(OK + b"Content-Length: 9\r\n\r\n{"), Fault.CUT_OFF, id="reset in the body"
        ),
        pytest.param(
            resetting(CHUNKED + b"1\r\n{\r\n"), Fault.CUT_OFF, id="reset in a chunked body"
        ),
        pytest.param(close_at_once, Fault.DISCONNECTED, id="closed at once"),
        pytest.param(closing(), Fault.DISCONNECTED, id="closed before the head"),
        pytest.param(closing(OK[:9]), Fault.DISCONNECTED, id="closed in the head"),
        pytest.param(
            closing(OK + b"Content-Length: 9\r\n\r\n{"), Fault.CUT_OFF, id="a length too long"
        ),
        pytest.param(closing(CHUNKED + b"1\r\n{\r\n"), Fault.CUT_OFF, id="cut between chunks"),
        pytest.param(closing(CHUNKED, b"9\r\n{"), Fault.CUT_OFF, id="cut in a chunk"),
        pytest.param(closing(CHUNKED + b"zz\r\n"), Fault.NOT_HTTP, id="a chunk of no size"),
        pytest.param(
            closing(OK + b"Content-Length: 2\r\n\r\n{}{}"), Fault.NOT_HTTP, id="a length too short"
        ),
        pytest.param(
            closing(OK + b"Content-Length: -2\r\n\r\n"), Fault.NOT_HTTP, id="a negative length"
        ),
        pytest.param(
            closing(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
            Fault.NOT_HTTP,
            id="two lengths",
        ),
        pytest.param(
            closing(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
            Fault.CUT_OFF,
            id="not compressed",
        ),
        pytest.param(
            closing(OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"),
            Fault.NOT_HTTP,
            id="compressed by what we have not",
        ),
        pytest.param(closing(b"\0\xff\xfe" * 99), Fault.NOT_HTTP, id="garbage"),
        pytest.param(closing(b"<html>"), Fault.NOT_HTTP, id="HTTP/0.9"),
        pytest.param(closing(b"HTTP/1.1 2x1 Hm\r\n\r\n"), Fault.NOT_HTTP, id="no status"),
        pytest.param(closing(b"HTTP/1.1 1000 Hm\r\n\r\n"), Fault.NOT_HTTP, id="a long status"),
        pytest.param(
            closing(OK + b"X: " + b"x" * 10**6), Fault.NOT_HTTP, id="a header without end"
        ),
        pytest.param(closing(OK + b"X: x\r\n" * 10**5), Fault.NOT_HTTP, id="headers without end"),
        pytest.param(speak_first, Fault.NOT_HTTP, id="another protocol"),
    ],
)
async def test_what_is_no_answer_has_a_name(
    client: Client, script: Callable[[Peer], Awaitable[None]], fault: Fault
) -> None:
    """A 2xx that was cut off is none: repeating the call tells whether it was stored."""
    assert await client.post(script) == Unanswered(fault)


async def test_a_half_closed_connection_still_answers(client: Client) -> None:
    """A server may finish sending before it has read all."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK + b"Content-Length: 2\r\n\r\n{}")
        peer.half_close()
        await peer.closed()

    assert await client.post(script) == Answered(201, b"{}")


async def test_an_upgrade_is_an_answer_like_others(client: Client) -> None:
    """Nobody asked for it; what is made of a 101 is decided elsewhere."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n"
        )
        await peer.send(b"\r\n\0\0\0")
        await peer.closed()

    assert await client.post(script) == Answered(101)


# Time


async def silent(peer: Peer) -> None:
    """Take the request and say nothing."""
    await peer.request()
    await peer.closed()


async def dripping(peer: Peer) -> None:
    """Say something all the time, and come to no end."""
    await peer.request()
    await peer.send(OK + b"Content-Length: 1000000\r\n\r\n")
    while True:
        await peer.send(b"x")
        await asyncio.sleep(0.02)


async def dripping_head(peer: Peer) -> None:
    """Never come to the end of the head."""
    await peer.request()
    await peer.send(OK)
    while True:
        await peer.send(b"X: x\r\n")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("script", [silent, dripping, dripping_head])
async def test_a_request_takes_no_longer_than_it_may(
    client: Client,
    script: Callable[[Peer], Awaitable[None]],
) -> None:
    """The time is that of the whole request: a byte now and then does not make it longer."""
    async with asyncio.timeout(3):
        assert await client.post(script, timeout=0.3) == Unanswered(Fault.TIMEOUT)


async def test_a_body_that_nobody_reads_is_given_up_as_well(client: Client) -> None:
    """A server that accepts a connection and never reads holds nobody longer than it may."""

    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport
        await asyncio.Event().wait()

    async with asyncio.timeout(3):
        assert await client.post(script, bytes(30 * 2**20), timeout=0.3) == Unanswered(
            Fault.TIMEOUT
        )


# No connection


async def test_a_refused_connection_is_an_answer(client: Client) -> None:
    """Nothing listens there."""
    with reserve_port() as held:
        port = held.getsockname()[1]
        async with client.opened() as tuner:
            answer = await tuner.post(b"{}", route(to=destination(f"http://127.0.0.1:{port}")))

    assert answer == Unanswered(Fault.CONNECT)


async def test_a_name_that_cannot_exist_is_an_answer(client: Client) -> None:
    """RFC 6761 keeps `.invalid` free; where there is no name service at all, nobody can say so."""
    async with client.opened() as tuner:
        answer = await tuner.post(b"{}", route(to=destination("https://tuner.invalid")))

    assert answer in (Unanswered(Fault.UNKNOWN_HOST), Unanswered(Fault.CONNECT))


@pytest.mark.parametrize("host", ["a..b", f"{'x' * 64}.test", "256.256.256.256", "1.2.3"])
async def test_a_host_that_is_no_name_is_an_answer(client: Client, host: str) -> None:
    """It has the form of a name, but none that can be looked up."""
    async with client.opened() as tuner:
        answer = await tuner.post(b"{}", route(to=destination(f"http://{host}")))

    assert answer == Unanswered(Fault.UNKNOWN_HOST)


# Anything at all

LINES = st.sampled_from(
    [
        b"HTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 503 x\r\n",
        b"HTTP/9.9 999\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"Location: //[\r\n",
        b"Set-Cookie: \xff=;;=\r\n",
        b"Retry-After: \xed\xa0\x80\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" folded\r\n",
        b'5\r\n{"a":\r\n',
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b'{"detail":',
        b"\0",
    ]
)


@settings(max_examples=150)
@given(parts=st.lists(LINES | st.binary(max_size=40), max_size=12), ends_in_reset=st.booleans())
async def test_any_bytes_are_an_answer(
    client: Client, parts: list[bytes], *, ends_in_reset: bool
) -> None:
    """Nothing that a server can send ends a post with an exception, or the judging of it."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(*parts)
        if ends_in_reset:
            peer.reset()

    async with serving(script) as server, client.opened(timeout=2) as tuner:
        answer: Answer = await tuner.post(b"", route(to=destination(server.url)))

    assert isinstance(answer, Answered | Unanswered)
    judge(answer, circumstances())
