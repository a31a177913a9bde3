"""Tuner is trusted only under its name and by those whom we trust."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from builders import destination, route
from edge.certificates import Authority, Certificate, server_context
from edge.hostile import CREATED, Peer, Script, serving
from edge.posting import Client

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.edge.tls import Tls

PASSWORD = "open sesame"  # noqa: S105 - of a key made for this test
MADE = Answered(201, CREATED)


async def created(peer: Peer) -> None:
    """Take a request and answer it as Tuner does."""
    await peer.request()
    await peer.answer()


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    """The server's, as it should be."""
    return authority.sign("tuner")


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Certificate:
    """The one that says who we are, its key under a password."""
    return authority.sign("ours", password=PASSWORD)


def trusting(authority: Authority, own: Certificate | None = None) -> Tls:
    """Trust *authority*, and show our *own* certificate if there is one."""
    if own is None:
        return Tls(authority.ca)
    return Tls(authority.ca, str(own.cert), str(own.key), PASSWORD)


async def test_a_server_of_our_own_authority_is_trusted(
    client: Client, authority: Authority, certificate: Certificate
) -> None:
    """A CA file of ours is enough."""
    answer = await client.post(
        created, server_tls=server_context(certificate), tls=trusting(authority)
    )

    assert answer == MADE


async def test_a_server_of_an_unknown_authority_is_not_trusted(
    client: Client, certificate: Certificate
) -> None:
    """Only the system's authorities are, when nobody names another."""
    answer = await client.post(created, server_tls=server_context(certificate), tls=Tls())

    assert answer == Unanswered(Fault.TLS)


@pytest.mark.parametrize(("names", "days"), [("DNS:elsewhere.test", 2), ("IP:127.0.0.1", 0)])
async def test_a_wrong_or_expired_certificate_is_not_trusted(
    client: Client, authority: Authority, names: str, days: int
) -> None:
    """The name has to be the one asked for, and the time is now."""
    certificate = await asyncio.to_thread(authority.sign, f"bad{days}", names=names, days=days)

    answer = await client.post(
        created, server_tls=server_context(certificate), tls=trusting(authority)
    )

    assert answer == Unanswered(Fault.TLS)


async def test_nothing_is_sent_to_whom_we_do_not_trust(
    client: Client, certificate: Certificate
) -> None:
    """The key is the first thing that a wrong server would get."""
    async with (
        serving(created, server_context(certificate)) as server,
        client.opened(tls=Tls()) as tuner,
    ):
        await tuner.post(b"{}", route(to=destination(server.url)))

    assert server.requests == []


async def test_plain_http_on_the_port_is_a_fault_of_tls(
    client: Client, authority: Authority
) -> None:
    """Somebody forgot a certificate, or we the scheme."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    assert await client.post(script, tls=trusting(authority), scheme="https") == Unanswered(
        Fault.TLS
    )


async def test_our_own_certificate_is_shown(
    client: Client, authority: Authority, certificate: Certificate, ours: Certificate
) -> None:
    """A gateway may ask who we are; the key may be under a password."""
    answer = await client.post(
        created,
        server_tls=server_context(certificate, clients=authority.ca),
        tls=trusting(authority, ours),
    )

    assert answer == MADE


# asyncio's own servers say nothing when they refuse a certificate; OpenSSL in a thread does.


def refuse(connection: socket.socket, context: ssl.SSLContext) -> None:
    """Shake hands, say what is wrong, and hear the client out: a reset would swallow it."""
    connection.settimeout(5)
    with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as spoken:
        with suppress(OSError):
            spoken.do_handshake()
        spoken.shutdown(socket.SHUT_WR)
        while spoken.recv(2**16):
            pass


@contextmanager
def demanding(certificate: Certificate, clients: str, newest: ssl.TLSVersion) -> Iterator[int]:
    """Have a server that demands certificates of *clients*; give its port."""
    context = server_context(certificate, clients=clients)
    context.maximum_version = newest

    def serve() -> None:
        with suppress(OSError):
            while True:
                refuse(listener.accept()[0], context)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def relay(port: int) -> Script:
    """Pass everything on to *port*, and what comes back a little later: a network in between."""

    async def script(peer: Peer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pump(peer.reader, writer, 0.0))
                await pump(reader, peer.writer, 0.03)
                raise ConnectionAbortedError
        except* ConnectionError:
            pass
        finally:
            writer.transport.abort()

    return script


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Carry bytes from *reader* to *writer*, each *delay* seconds later."""
    while data := await reader.read(2**16):
        await asyncio.sleep(delay)
        writer.write(data)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("has_one", [False, True])
async def test_a_refused_certificate_of_ours_is_a_fault_of_tls(
    client: Client,
    authority: Authority,
    certificate: Certificate,
    ours: Certificate,
    tmp_path: Path,
    *,
    newest: ssl.TLSVersion,
    has_one: bool,
) -> None:
    """It is our fault and not an outage, also where it is said only after the handshake."""
    others = await asyncio.to_thread(Authority, tmp_path)
    with demanding(certificate, others.ca, newest) as port:
        answer = await client.post(
            relay(port), tls=trusting(authority, ours if has_one else None), scheme="https"
        )

    assert answer == Unanswered(Fault.TLS)


@pytest.mark.parametrize("ending", [Peer.reset, Peer.half_close])
@pytest.mark.parametrize("heard", [0, 1])
async def test_a_handshake_that_breaks_off_is_an_outage(
    client: Client, authority: Authority, ending: Callable[[Peer], None], heard: int
) -> None:
    """A server that is just going away says nothing about our settings."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(heard)
        ending(peer)
        await peer.closed()

    answer = await client.post(script, tls=trusting(authority), scheme="https")

    assert answer == Unanswered(Fault.CONNECT)


async def test_a_secured_connection_that_breaks_off_is_an_outage(
    client: Client, authority: Authority, certificate: Certificate
) -> None:
    """Without a close_notify, as when a server is killed."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    answer = await client.post(
        script, server_tls=server_context(certificate), tls=trusting(authority)
    )

    assert answer == Unanswered(Fault.DISCONNECTED)
