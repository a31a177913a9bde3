"""Through a proxy calls reach Tuner, and the key reaches nobody else."""

import asyncio

import pytest
from builders import destination, route
from edge.certificates import Authority, Certificate, server_context
from edge.hostile import CREATED, Peer, Request, Script, serving
from edge.posting import KEY, Client

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.edge.requests import Kind
from ingestor.edge.tls import Tls

# Only aiohttp's wire goes through proxies.
PROXIED = Client(Kind.AIOHTTP)
FAR = "https://tuner.test"


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    """The one of a server that is not on this machine."""
    return authority.sign("far", names="DNS:tuner.test")


async def created(peer: Peer) -> None:
    """Take requests and answer them as Tuner does."""
    while True:
        await peer.request()
        await peer.answer()


def tunnel(port: int, seen: list[Request]) -> Script:
    """Be a proxy that connects everybody with *port*, and notes what was asked of it."""

    async def script(peer: Peer) -> None:
        seen.append(await peer.head())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pump(peer.reader, writer))
                tasks.create_task(pump(reader, peer.writer))
        finally:
            writer.transport.abort()

    return script


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes from *reader* to *writer* to the end."""
    while data := await reader.read(2**16):
        writer.write(data)
    writer.write_eof()


async def post_through(script: Script, url: str = FAR, user: str = "") -> Answer:
    """Post to *url* through a proxy that plays *script*."""
    async with serving(script) as proxy:
        address = f"http://{user}127.0.0.1:{proxy.port}"
        async with PROXIED.opened(timeout=2, proxies={"http": address, "https": address}) as tuner:
            return await tuner.post(b"{}", route(to=destination(url)))


async def test_a_tunnel_carries_calls_and_sees_nothing(
    authority: Authority, certificate: Certificate
) -> None:
    """The proxy learns where we go; the key and the calls are between Tuner and us."""
    seen: list[Request] = []
    async with (
        serving(created, server_context(certificate)) as tuner_server,
        serving(tunnel(tuner_server.port, seen)) as proxy,
        PROXIED.opened(
            tls=Tls(authority.ca), proxies={"https": f"127.0.0.1:{proxy.port}"}
        ) as tuner,
    ):
        goal = route(to=destination(FAR))
        answers = [await tuner.post(b"{}", goal) for _ in range(2)]

    assert answers == [Answered(201, CREATED)] * 2
    assert [request.headers["x-api-key"] for request in tuner_server.requests] == [KEY] * 2
    (asked,) = seen
    assert asked.line == "CONNECT tuner.test:443 HTTP/1.1"
    assert KEY not in str(asked)


async def test_a_proxy_may_ask_for_a_password() -> None:
    """It stands in the proxy's address."""
    seen: list[Request] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.head())

    await post_through(script, user="user:p%40ss@")

    assert seen[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"


async def test_plain_http_is_forwarded() -> None:
    """Only where it was allowed, since the proxy sees it all."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        assert request.line.startswith("POST http://tuner.test/api/v1/public/call?")
        await peer.answer()

    assert await post_through(script, "http://tuner.test") == Answered(201, CREATED)


@pytest.mark.parametrize("url", [FAR, "http://tuner.test"])
async def test_a_proxy_that_wants_a_password_says_407(url: str) -> None:
    """It is our settings that lack it."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer("407 Proxy Authentication Required", b"")

    assert await post_through(script, url) == Answered(407)


@pytest.mark.parametrize("status", [200, 403, 502, 503])
async def test_a_tunnel_that_is_not_made_is_no_answer_of_tuner(status: int) -> None:
    """Whatever the proxy says of it, and also when it says that there is one and hangs up."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(f"HTTP/1.1 {status} Hm\r\n\r\n".encode())

    assert await post_through(script) == Unanswered(Fault.CONNECT)


async def test_a_proxy_that_speaks_something_else_is_no_answer() -> None:
    """Such as one for SOCKS, which we have not."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(b"\5\xff")

    assert await post_through(script) == Unanswered(Fault.NOT_HTTP)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://127.0.0.1:1", Fault.CONNECT),
        ("socks5://127.0.0.1:1", Fault.CONNECT),
        ("http://a..b:3128", Fault.UNKNOWN_HOST),
        ("http://[bad", Fault.UNKNOWN_HOST),
        ("http:///", Fault.UNKNOWN_HOST),
    ],
)
async def test_a_proxy_that_is_none_is_no_answer(address: str, fault: Fault) -> None:
    """A proxy that cannot be reached, or has no address, is never a reason to go without it."""
    async with PROXIED.opened(proxies={"https": address}) as tuner:
        assert await tuner.post(b"{}", route(to=destination(FAR))) == Unanswered(fault)
