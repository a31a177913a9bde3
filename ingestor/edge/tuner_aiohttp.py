"""Posts to Tuner through aiohttp."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from types import MappingProxyType
from urllib.parse import quote
from urllib.request import getproxies

import aiohttp
from yarl import URL

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.proxies import proxy_for
from ingestor.edge.tls import Tls

PATH = "/api/v1/public/call"
MOST_ANSWER_BYTES = 2**20
# Larger bodies are handed to the socket piece by piece: others may run in between.
LARGE_BODY_BYTES = 2**20
CONNECT_SECONDS = 5.0
# Below the idle timeout of common servers (5 s), so that a request seldom meets a connection that
# is being closed.
IDLE_SECONDS = 4.0
# Events may name any agent: the targets kept are bounded.
MOST_TARGETS = 10_000


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent: *timeout* of a whole request in seconds, trust and our own
    certificate, the user agent, and the *proxies* by scheme, as urllib reads them of the system.
    """

    timeout: float
    tls: Tls
    user_agent: str
    proxies: Mapping[str, str] = field(default_factory=getproxies, repr=False)


class AiohttpTuner:
    """Tuner's Create Call behind an aiohttp session; *headers* carry the key of each credential."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        headers: Mapping[str, Mapping[str, str]],
        proxies: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._session = session
        self._headers = headers
        self._proxies = proxies
        self._target = lru_cache(MOST_TARGETS)(self._aim)

    async def post(self, body: bytes, route: Route) -> Answer:
        """Post *body*, once; every foreseeable failure is an answer.

        A redirect is never followed: it would carry the key away.
        """
        target = self._target(route)
        try:
            async with self._session.post(
                target.url,
                data=body if len(body) <= LARGE_BODY_BYTES else BytesIO(body),
                headers=self._headers[route.destination.credential],
                proxy=target.proxy,
                allow_redirects=False,
            ) as response:
                text, is_whole = await _read(response)
                return Answered(
                    response.status, text, response.headers.get("Retry-After"), is_whole
                )
        # UnicodeError: a host name that has no encoding, because a part of it is empty or too long.
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            return _failure(error)

    def _aim(self, route: Route) -> "Target":
        url = URL(create_call_url(route), encoded=True)
        return Target(url, proxy_for(url, self._proxies))


@dataclass(frozen=True, slots=True)
class Target:
    """What is the same for every request of a route."""

    url: URL
    proxy: str | None


@asynccontextmanager
async def aiohttp_tuner(
    wire: Wire, headers: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[AiohttpTuner]:
    """Open a session for posting; how many requests run at once is decided elsewhere, and which
    *headers* carry the key of a credential may change at any time.
    """
    common = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": wire.user_agent,
    }
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=IDLE_SECONDS, ssl=wire.tls.context()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=common,
        timeout=aiohttp.ClientTimeout(total=wire.timeout, sock_connect=CONNECT_SECONDS),
    ) as session:
        yield AiohttpTuner(session, headers, wire.proxies)


def create_call_url(route: Route) -> str:
    """Write the address that a call for *route* is posted to, its query percent-encoded."""
    workspace, agent = quote(route.workspace, safe=""), quote(route.agent, safe="")
    query = f"workspace_id={workspace}&agent_remote_identifier={agent}"
    return f"{route.destination.base_url}{PATH}?{query}"


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """Read the body, and whether it is whole; of a longer one no more than `MOST_ANSWER_BYTES`."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_ANSWER_BYTES:
            response.close()
            return b"".join(chunks)[:MOST_ANSWER_BYTES], False
    return b"".join(chunks), True


def _failure(error: Exception) -> Answer:
    match error:
        case aiohttp.ClientHttpProxyError(status=HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
            return Answered(error.status)
        case _:
            return Unanswered(_fault(error))


def _fault(error: Exception) -> Fault:
    match error:
        case (
            aiohttp.ClientConnectorDNSError(
                os_error=socket.gaierror(errno=socket.EAI_NONAME | socket.EAI_NODATA)
            )
            | aiohttp.InvalidURL()
            | UnicodeError()
        ):
            return Fault.UNKNOWN_HOST
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Fault.TLS
        # In TLS 1.3 our certificate is refused only after the handshake, when we write already.
        case aiohttp.ClientOSError(__cause__=ssl.SSLError(reason=str(why))) if "ALERT" in why:
            return Fault.TLS
        case (
            aiohttp.ClientConnectorError()
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.ClientHttpProxyError()
        ):
            return Fault.CONNECT
        case asyncio.TimeoutError():
            return Fault.TIMEOUT
        case aiohttp.ClientPayloadError():
            return Fault.CUT_OFF
        case aiohttp.ClientResponseError():
            return Fault.NOT_HTTP
        case _:
            return Fault.DISCONNECTED
