"""A token is fetched before it is needed, and nobody learns what was given for it."""

import asyncio
import json
import sys
import traceback
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote_plus

import pytest
from aiokafka.errors import KafkaConnectionError
from edge.certificates import Authority, server_context
from edge.hostile import Peer, Script, serving, until

from ingestor.edge.oauth import OAuthClient, TokenProvider

# What Python raises for a name that cannot be one of a host.
UNENCODABLE = "UnicodeEncodeError" if sys.version_info >= (3, 13) else "UnicodeError"
SECRET = "s3cret:/+ \u00fc"  # noqa: S105 - opens nothing


def granting(**answer: object) -> Script:
    """Answer every request with a token, numbered, and with what else is said."""

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            granted = {"access_token": f"token {id(request)}", "token_type": "Bearer", **answer}
            await peer.answer("200 OK", json.dumps(granted).encode())

    return script


def saying(status: str, body: bytes, head: str = "") -> Script:
    """Answer everything with this."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(status, body, head)

    return script


def client(url: str, **more: str) -> OAuthClient:
    """Ask at *url*."""
    return OAuthClient(f"{url}/token?tenant=7", "urn:us:me", SECRET, **more)


async def test_a_token_is_asked_for_as_the_rfc_has_it() -> None:
    """Client credentials grant: who we are in the header, encoded, and what we want in a form."""
    async with serving(granting(access_token="abc")) as server:  # noqa: S106 - opens nothing
        token = await TokenProvider(client(server.url, scope="kafka:read kafka:write")).token()

    assert token == "abc"  # noqa: S105 - opens nothing
    (request,) = server.requests
    assert request.line == "POST /token?tenant=7 HTTP/1.1"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["kafka:read kafka:write"],
    }
    kind, pair = request.headers["authorization"].split(" ")
    assert kind == "Basic"
    name, secret = b64decode(pair).decode().split(":")
    assert (unquote_plus(name), unquote_plus(secret)) == ("urn:us:me", SECRET)


async def test_without_a_scope_none_is_asked_for() -> None:
    """The server has a default."""
    async with serving(granting()) as server:
        await TokenProvider(client(server.url)).token()

    assert server.requests[0].body == b"grant_type=client_credentials"


@pytest.mark.parametrize("expires_in", [3600, 3600.5, "7200"])
async def test_a_good_token_is_kept(expires_in: object) -> None:
    """However the server writes for how long it is good."""
    async with serving(granting(expires_in=expires_in)) as server:
        provider = TokenProvider(client(server.url))
        tokens = {await provider.token() for _ in range(3)}

    assert len(tokens) == len(server.requests) == 1


async def test_a_token_of_unknown_life_is_kept_for_minutes() -> None:
    """To say how long it lives is only recommended (RFC 6749, 4.2.2)."""
    async with serving(granting()) as server:
        provider = TokenProvider(client(server.url))
        await provider.token()
        await provider.token()

    assert len(server.requests) == 1


async def test_a_token_is_replaced_before_it_expires() -> None:
    """A connection that is opened in its last moments would be cut in the middle of its work."""
    async with serving(granting(expires_in=3.0)) as server:
        provider, loop = TokenProvider(client(server.url)), asyncio.get_running_loop()
        began = loop.time()
        first = await provider.token()
        async with asyncio.timeout(5):
            while await provider.token() == first:  # noqa: ASYNC110 - time has to pass
                await asyncio.sleep(0.01)

        assert 2.4 <= loop.time() - began < 3.0
        assert len(server.requests) == 2


async def test_many_who_connect_at_once_share_one_token() -> None:
    """A client opens several connections together."""
    async with serving(granting()) as server, asyncio.TaskGroup() as tasks:
        provider = TokenProvider(client(server.url))
        asked = [tasks.create_task(provider.token()) for _ in range(20)]

    assert len({task.result() for task in asked}) == 1
    assert len(server.requests) == 1


async def test_tls_is_verified_by_our_own_authority(authority: Authority) -> None:
    """The one that is named for Kafka; without it the system's."""
    context = server_context(await asyncio.to_thread(authority.sign, "login"))
    async with serving(granting(), context) as server:
        await TokenProvider(client(server.url, ca=authority.ca)).token()

        await fails(TokenProvider(client(server.url)), "ClientConnectorCertificateError")


async def fails(provider: TokenProvider, why: str) -> None:
    """Have no token to give, say *why*, and say nothing else."""
    with pytest.raises(KafkaConnectionError, match=why) as raised:
        await provider.token()

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.__cause__)
    for form in (SECRET, "s3cret", "czNjcmV0", "Basic"):
        assert form not in told


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        ("401 Unauthorized", b'{"error": "s3cret"}', "answered 401"),
        ("400 Bad Request", b'{"error": "invalid_scope"}', "answered 400"),
        ("503 Unavailable", b"<html>", "answered 503"),
        ("302 Found", b"", "answered 302"),
        ("200 OK", b"<html>s3cret", "has no token"),
        ("200 OK", b"{}", "has no token"),
        ("200 OK", b'{"access_token": ""}', "has no token"),
        ("200 OK", b'{"access_token": null}', "has no token"),
        ("200 OK", b'{"access_token": "a", "expires_in": "soon"}', "has no token"),
        ("200 OK", b"\xff", "has no token"),
        ("hm", b"", "ClientResponseError"),
    ],
)
async def test_an_answer_without_a_token_is_a_failure_to_connect(
    status: str, body: bytes, why: str
) -> None:
    """So the client takes it, which tries again; nothing of the answer is told."""
    async with serving(saying(status, body, "Location: http://127.0.0.1:1/\r\n")) as server:
        await fails(TokenProvider(client(server.url)), why)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1", "ClientConnectorError"),
        ("http://a..b", UNENCODABLE),
        ("http://256.256.256.256", "InvalidUrlClientError"),
    ],
)
async def test_a_server_that_is_not_there_is_a_failure_to_connect(url: str, why: str) -> None:
    """Whatever is wrong with its address."""
    await fails(TokenProvider(client(url)), why)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """Whoever connects waits for the token."""

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.closed()

    async with serving(silent) as server, asyncio.timeout(3):
        await fails(TokenProvider(client(server.url), 0.2), "TimeoutError")


async def test_a_missing_ca_file_is_a_failure_to_connect(tmp_path: Path) -> None:
    """It may come: secrets are mounted late."""
    await fails(
        TokenProvider(client("https://127.0.0.1:1", ca=str(tmp_path / "no.pem"))),
        "FileNotFoundError",
    )


async def test_after_a_failure_the_next_one_asks_again() -> None:
    """Nothing has to be made anew."""
    scripts: list[Callable[[Peer], Awaitable[None]]] = [saying("503 Hm", b""), granting()]

    async def script(peer: Peer) -> None:
        await scripts.pop(0)(peer)

    async with serving(script) as server:
        provider = TokenProvider(client(server.url))
        await fails(provider, "503")
        assert await provider.token()
        await until(lambda: len(server.requests) == 2)


def test_the_secret_is_not_shown() -> None:
    """Somebody may print what holds it."""
    assert SECRET not in repr(client("https://login.test"))
