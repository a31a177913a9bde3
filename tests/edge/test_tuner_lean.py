"""What only the lean wire does: how it keeps connections, and which it gives up."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvloop
from builders import destination, route
from edge.certificates import Authority, server_context
from edge.hostile import CREATED, Hostile, Peer, Script, serving, until
from edge.posting import Client, Nobody

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.requests import LARGE_BODY_BYTES, Kind, Wire
from ingestor.edge.tls import Tls
from ingestor.edge.tuner_lean import LeanTuner
from ingestor.edge.wire.origin import Origin, Server

LEAN = Client(Kind.LEAN)
BODY = b"{}"
HEAD = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n"
MADE = Answered(201, CREATED)
OK = b"HTTP/1.1 201 Created\r\n"


def soon() -> float:
    """Give a time that no test reaches."""
    return asyncio.get_running_loop().time() + 10.0


@asynccontextmanager
async def lean(
    script: Script,
    timeout: float = 10.0,  # noqa: ASYNC109 - it is the one under test
) -> AsyncIterator[tuple[Hostile, LeanTuner, Route]]:
    """Open a Tuner, and a server that plays *script*, with the route to it."""
    async with serving(script) as server, LEAN.opened(timeout=timeout) as tuner:
        assert isinstance(tuner, LeanTuner)
        yield server, tuner, route(to=destination(server.url))


class Scripts:
    """The scripts of the connections to come, one for each; the last one is for all others."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)

    async def __call__(self, peer: Peer) -> None:
        """Play the next."""
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        await script(peer)


async def created(peer: Peer) -> None:
    """Answer every request of a connection as Tuner does."""
    while True:
        await peer.request()
        await peer.answer()


def once_then(*parts: bytes) -> Script:
    """Answer one request well; to the second send *parts*, and close."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await peer.send(*parts)

    return script


# The second request on a connection that was closed meanwhile


async def test_what_a_kept_connection_swallowed_is_repeated_once() -> None:
    """Also when the server resets it; and whoever is told knows that there were two."""

    async def reset(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.head()
        peer.reset()

    for ending in (once_then(), reset):
        async with lean(Scripts(ending, created)) as (server, tuner, goal):
            await tuner.post(BODY, goal)

            assert await tuner.post(BODY, goal) == Answered(201, CREATED, is_repeat=True)
            assert await tuner.post(BODY, goal) == MADE
            assert server.opened == 2


async def test_a_repeat_is_not_repeated() -> None:
    """On a connection that nobody used before, the same means something else."""

    async def silent(peer: Peer) -> None:
        await peer.request()

    async with lean(Scripts(once_then(), silent)) as (server, tuner, goal):
        await tuner.post(BODY, goal)

        assert await tuner.post(BODY, goal) == Unanswered(Fault.DISCONNECTED, is_repeat=True)
        assert server.opened == 2
        assert len(server.requests) == 3


async def test_a_repeat_that_does_not_come_through_leaves_the_first_open() -> None:
    """The connection was refused, but an earlier request was not: Tuner may have stored it."""
    async with lean(once_then()) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        server.stop_listening()

        assert await tuner.post(BODY, goal) == Unanswered(Fault.CONNECT, is_repeat=True)
        assert await tuner.post(BODY, goal) == Unanswered(Fault.CONNECT)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ((OK[:1],), Fault.DISCONNECTED),
        ((OK,), Fault.DISCONNECTED),
        ((OK + b"Content-Length: 9\r\n\r\n",), Fault.CUT_OFF),
        ((b"garbage",), Fault.NOT_HTTP),
    ],
)
async def test_a_request_that_was_heard_is_not_repeated(
    parts: tuple[bytes, ...], fault: Fault
) -> None:
    """A single byte of an answer says so."""
    async with lean(once_then(*parts)) as (server, tuner, goal):
        await tuner.post(BODY, goal)

        assert await tuner.post(BODY, goal) == Unanswered(fault)
        assert server.opened == 1


async def test_a_slow_answer_on_a_kept_connection_is_not_asked_for_again() -> None:
    """Only a connection that ended may have been closed before."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await peer.closed()

    async with lean(script, timeout=0.3) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        async with asyncio.timeout(3):
            assert await tuner.post(BODY, goal) == Unanswered(Fault.TIMEOUT)

        assert server.opened == 1


# Which connections are kept


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"Content-Length: 2\r\n\r\n{}{}",
        (OK + b"Content-Length: 2\r\n\r\n{}") * 2,
    ],
)
async def test_a_connection_that_is_not_in_order_is_not_kept(answer: bytes) -> None:
    """What comes next on it would be somebody else's answer."""
    parted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        await peer.closed()
        parted.set()

    async with lean(Scripts(script, created)) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        async with asyncio.timeout(5):
            await parted.wait()

        assert await tuner.post(BODY, goal) == MADE
        assert server.opened == 2


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next() -> None:
    """It comes while the connection rests: a success that would be of no call."""
    parted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.send(OK + b"Content-Length: 2\r\n\r\n{}")
        await peer.closed()
        parted.set()

    async with lean(Scripts(script, created)) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        async with asyncio.timeout(5):
            await parted.wait()

        assert await tuner.post(BODY, goal) == MADE
        assert len(server.requests) == 2


async def test_the_connection_used_last_is_used_first() -> None:
    """Those of a peak come to rest: in turn, all would be kept, and all nearly too old."""
    ports: list[int] = []

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            ports.append(peer.writer.get_extra_info("peername")[1])
            await peer.answer()

    async with lean(script) as (server, tuner, goal):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(tuner.post(BODY, goal))
        del ports[:]
        for _ in range(10):
            await tuner.post(BODY, goal)

        assert server.opened == 5
        assert len(set(ports)) == 1


async def test_a_connection_that_rests_too_long_is_closed() -> None:
    """By us, before the server does it under a request."""
    parted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.closed()
        parted.set()

    async with serving(script) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0, idle_seconds=0.1)
        connection = await origin.connect(soon())
        assert not isinstance(connection, Fault)
        assert await connection.ask(HEAD, BODY, soon()) == MADE
        origin.give_back(connection)
        async with asyncio.timeout(5):
            await parted.wait()

        assert origin.take() is None
        await origin.close()


async def test_a_connection_that_has_lived_long_is_replaced() -> None:
    """Else nobody would notice that a name leads elsewhere by now."""
    async with serving(created) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0, life_seconds=0.5)
        connection = await origin.connect(soon())
        assert not isinstance(connection, Fault)
        for _ in range(2):
            assert await connection.ask(HEAD, BODY, soon()) == MADE
            origin.give_back(connection)
            assert origin.take() is connection
        await asyncio.sleep(0.8)  # nothing tells that it has
        assert await connection.ask(HEAD, BODY, soon()) == MADE
        origin.give_back(connection)

        assert origin.take() is None
        await until(connection.is_closing)
        await origin.close()


async def test_a_connection_that_is_about_to_close_is_passed_over() -> None:
    """It rests, but it is closed a moment later."""
    async with serving(created) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0)
        older, newer = await origin.connect(soon()), await origin.connect(soon())
        assert not isinstance(older, Fault)
        assert not isinstance(newer, Fault)
        origin.give_back(older)
        origin.give_back(newer)
        newer.abort()

        assert origin.take() is older
        assert origin.take() is None
        await origin.close()


async def test_paths_and_keys_share_connections() -> None:
    """A server is a scheme, a host and a port."""
    async with lean(created) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        await tuner.post(BODY, route(to=destination(f"{server.url}/tuner"), agent="other"))

        assert server.opened == 1


async def test_what_is_prepared_for_a_route_is_forgotten_in_time() -> None:
    """Events may name any agent: more of them than are kept are served all the same, over the
    same connection.
    """
    agents = [f"agent-{number % 5}" for number in range(12)]
    wire = Wire(10.0, Nobody(), "test/1", {})
    async with serving(created) as server:
        tuner = LeanTuner(wire, {destination().credential: {"X-API-Key": "k"}}, most_targets=2)
        for agent in agents:
            assert await tuner.post(BODY, route(to=destination(server.url), agent=agent)) == MADE
        await tuner.aclose()

    assert [r.target.rpartition("=")[2] for r in server.requests] == agents
    assert server.opened == 1


# Time


async def test_the_time_for_a_repeat_is_what_the_first_left() -> None:
    """The time is that of the whole request."""

    async def late_end(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await asyncio.sleep(0.7)

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.closed()

    loop = asyncio.get_running_loop()
    async with lean(Scripts(late_end, silent), timeout=1.0) as (_, tuner, goal):
        await tuner.post(BODY, goal)
        began = loop.time()

        assert await tuner.post(BODY, goal) == Unanswered(Fault.TIMEOUT, is_repeat=True)
        assert 0.95 <= loop.time() - began < 1.5


async def test_the_time_of_a_request_ends_with_it() -> None:
    """The next one on the same connection has its own."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await asyncio.sleep(1.0)
        await peer.answer()

    async with lean(script, timeout=1.5) as (server, tuner, goal):
        assert await tuner.post(BODY, goal) == MADE
        await asyncio.sleep(0.8)

        assert await tuner.post(BODY, goal) == MADE
        assert server.opened == 1


async def test_a_handshake_that_does_not_end_is_no_connection() -> None:
    """Nothing was sent: what became of the call is known."""

    async def script(peer: Peer) -> None:
        await peer.closed()

    async with asyncio.timeout(3):
        answer = await LEAN.post(script, scheme="https", timeout=0.3)

    assert answer == Unanswered(Fault.CONNECT)


async def test_a_request_that_is_cancelled_while_it_connects_leaves_nothing() -> None:
    """Neither a connection nor a task."""
    parted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.closed()
        parted.set()

    async with serving(script) as server, LEAN.opened() as tuner:
        goal = route(to=destination(server.url.replace("http", "https")))
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(tuner.post(BODY, goal))
            await until(lambda: server.opened)
            posting.cancel()
        async with asyncio.timeout(5):
            await parted.wait()

    assert posting.cancelled()


@pytest.mark.parametrize("is_secured", [False, True])
async def test_a_connect_may_be_cancelled_at_any_instant(
    authority: Authority, *, is_secured: bool
) -> None:
    """Also in the one in which the connection stands and nobody has heard of it yet: uvloop closes
    it then without a word, and whoever waits for its end would wait for ever.
    """
    certificate = await asyncio.to_thread(authority.sign, "instant")
    context = server_context(certificate) if is_secured else None
    async with serving(created, tls=context) as server:
        origin = Origin(Server.of(server.url), Tls(authority.ca).context(), 10.0)
        await origin.connect(soon())  # names are looked up in a thread
        for steps in range(60):
            async with asyncio.TaskGroup() as tasks:
                connecting = tasks.create_task(origin.connect(soon()))
                for _ in range(steps):
                    await asyncio.sleep(0)
                connecting.cancel()

        async with asyncio.timeout(5):
            await origin.close()


async def test_a_cancelled_request_takes_its_kept_connection_with_it() -> None:
    """Its answer still comes: it would be taken for that of the next request there."""
    heard, going = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        heard.set()
        await going.wait()
        await peer.answer("409 Conflict", b"{}")

    async with lean(Scripts(script, created)) as (server, tuner, goal):
        await tuner.post(BODY, goal)
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(tuner.post(BODY, goal))
            await heard.wait()
            posting.cancel()
        going.set()

        assert await tuner.post(BODY, goal) == MADE
        assert server.opened == 2


async def test_a_nearer_end_than_that_of_others_is_kept() -> None:
    """A request whose connection took its time has less left than a look at all is apart."""

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.closed()

    loop = asyncio.get_running_loop()
    async with serving(silent) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0)
        began = loop.time()
        connection = await origin.connect(began + 0.2)
        assert not isinstance(connection, Fault)

        answer = await connection.ask(HEAD, BODY, began + 0.2)

        assert answer == Unanswered(Fault.TIMEOUT)
        assert 0.195 <= loop.time() - began < 1.0
        await origin.close()


# Sending


async def test_an_answer_is_read_while_the_body_is_still_on_its_way() -> None:
    """The server has stopped reading: what it says is heard, and the rest is not sent."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.answer("413 Content Too Large", b"{}")
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport
        await asyncio.Event().wait()

    async with asyncio.timeout(5), lean(Scripts(script, created)) as (server, tuner, goal):
        assert await tuner.post(bytes(40 * LARGE_BODY_BYTES), goal) == Answered(413, b"{}")
        assert await tuner.post(BODY, goal) == MADE
        assert server.opened == 2


async def test_a_large_body_goes_out_as_fast_as_it_is_taken() -> None:
    """A slow reader gets all of it, and others are served meanwhile."""
    going = asyncio.Event()

    async def slow(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a ReadTransport
        await going.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # likewise
        await peer.request()
        await peer.answer()

    body = bytes(20 * LARGE_BODY_BYTES)
    async with lean(Scripts(slow, created)) as (server, tuner, goal):
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(tuner.post(body, goal))
            await until(lambda: server.opened)
            assert await tuner.post(BODY, goal) == MADE
            assert not posting.done()
            going.set()

        assert posting.result() == MADE
        assert [len(request.body) for request in server.requests] == [len(BODY), len(body)]


# TLS


async def test_a_body_without_a_length_needs_a_farewell(authority: Authority) -> None:
    """Over TLS a connection can be cut by anybody: only a close_notify says that this is all."""
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        pytest.skip("asyncio tells no difference; the service runs on uvloop, which does")
    certificate = await asyncio.to_thread(authority.sign, "farewell")

    async def cut(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.0 201 Created\r\n\r\n{}")
        await asyncio.sleep(0.05)  # nothing says when it has arrived
        peer.writer.transport.abort()

    async def end(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.0 201 Created\r\n\r\n{}")

    trusted = Tls(authority.ca)
    for script, expected in ((cut, Unanswered(Fault.CUT_OFF)), (end, Answered(201, b"{}"))):
        answer = await LEAN.post(script, server_tls=server_context(certificate), tls=trusted)

        assert answer == expected


async def test_a_large_body_goes_through_tls(authority: Authority) -> None:
    """In pieces as well."""
    certificate = await asyncio.to_thread(authority.sign, "large")
    body = bytes(range(256)) * (5 * LARGE_BODY_BYTES // 256)

    async with (
        serving(created, server_context(certificate)) as server,
        LEAN.opened(tls=Tls(authority.ca)) as tuner,
    ):
        answer = await tuner.post(body, route(to=destination(server.url)))

    assert answer == MADE
    assert server.requests[0].body == body


async def test_a_connection_that_ends_before_it_is_used_has_a_reason() -> None:
    """It was said before anybody asked."""

    async def script(peer: Peer) -> None:
        await peer.send(b"220 mail.test ESMTP\r\n")
        await peer.closed()

    async with serving(script) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0)
        greeted = await origin.connect(soon())
        assert not isinstance(greeted, Fault)
        await until(greeted.is_closing)

        assert await greeted.ask(b"", b"", soon()) == Unanswered(Fault.NOT_HTTP)
        await origin.close()


@pytest.mark.parametrize("size", [2, 3 * LARGE_BODY_BYTES])
async def test_a_connection_that_ends_between_two_steps_is_an_answer(size: int) -> None:
    """It was there when it was taken, and is gone when it is used; uvloop raises then."""
    async with serving(created) as server:
        origin = Origin(Server.of(server.url), Nobody().context(), 10.0)
        connection = await origin.connect(soon())
        assert not isinstance(connection, Fault)
        connection.abort()

        assert await connection.ask(HEAD, bytes(size), soon()) == Unanswered(Fault.DISCONNECTED)
        assert await connection.ask(HEAD, bytes(size), soon()) == Unanswered(Fault.DISCONNECTED)
        await origin.close()


@pytest.mark.parametrize("is_secured", [False, True])
async def test_a_reset_while_a_large_body_goes_out_is_an_answer(
    authority: Authority, *, is_secured: bool
) -> None:
    """Piece after piece is written to a connection that may be gone since the last."""
    certificate = await asyncio.to_thread(authority.sign, "reset")

    async def script(peer: Peer) -> None:
        await peer.head()
        peer.reset()

    for _ in range(5):
        answer = await LEAN.post(
            script,
            bytes(30 * LARGE_BODY_BYTES),
            server_tls=server_context(certificate) if is_secured else None,
            tls=Tls(authority.ca),
        )
        assert answer == Unanswered(Fault.DISCONNECTED)


async def test_closing_closes_all_connections() -> None:
    """Also those that rest."""
    parted: list[Peer] = []

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.closed()
        parted.append(peer)

    async with serving(script) as server:
        async with LEAN.opened() as tuner, asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(tuner.post(BODY, route(to=destination(server.url))))
        await until(lambda: len(parted) == 3)


async def test_over_tls_a_request_is_one_record(authority: Authority) -> None:
    """Each record is sealed and unsealed for itself, so a head and its body share one."""
    certificate = await asyncio.to_thread(authority.sign, "records")
    body = bytes(8_000)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reading = asyncio.to_thread(_first_record, listener, server_context(certificate))
        async with LEAN.opened(tls=Tls(authority.ca)) as tuner, asyncio.TaskGroup() as tasks:
            first = tasks.create_task(reading)
            port = listener.getsockname()[1]
            goal = route(to=destination(f"https://127.0.0.1:{port}"))
            await tuner.post(body, goal)

    assert first.result().startswith(b"POST ")
    assert first.result().endswith(b"\r\n\r\n" + body)


def _first_record(listener: socket.socket, tls: ssl.SSLContext) -> bytes:
    """Accept a client, and read what it says; OpenSSL gives no more than one record at a time."""
    way, _ = listener.accept()
    with way, tls.wrap_socket(way, server_side=True) as secured:
        return secured.recv(2**16)
