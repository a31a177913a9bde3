"""Posts to Tuner through aiohttp."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.credentials import Credential
from ingestor.edge.tls import Tls

PATH = "/api/v1/public/call"
MOST_ANSWER_BYTES = 2**20
CONNECT_SECONDS = 5.0
# Below the idle timeout of common servers (5 s), so that a request seldom meets a connection that
# is being closed.
IDLE_SECONDS = 4.0
# Events may name any agent: the addresses kept are bounded.
MOST_URLS = 10_000


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent: *timeout* of a whole request in seconds, trust and our own
    certificate, the user agent.
    """

    timeout: float
    tls: Tls
    user_agent: str


class AiohttpTuner:
    """Tuner's Create Call behind an aiohttp session."""

    def __init__(
        self, session: aiohttp.ClientSession, credentials: Mapping[str, Credential]
    ) -> None:
        self._session = session
        self._headers = {name: credential.headers() for name, credential in credentials.items()}
        self._targets: dict[Route, Target] = {}

    async def post(self, body: bytes, route: Route) -> Answer:
        """Post *body*, once; every foreseeable failure is an answer.

        A redirect is never followed: it would carry the key away.
        """
        target = self._target(route)
        try:
            async with self._session.post(
                target.url,
                data=body,
                headers=target.headers,
                proxy=target.proxy,
                allow_redirects=False,
            ) as response:
                text, is_whole = await _read(response)
                return Answered(
                    response.status, text, response.headers.get("Retry-After"), is_whole
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unanswered(_fault(error))

    def _target(self, route: Route) -> "Target":
        target = self._targets.get(route)
        if target is None:
            if len(self._targets) >= MOST_URLS:
                self._targets.clear()
            target = self._targets[route] = _target(
                route, self._headers[route.destination.credential]
            )
        return target


@dataclass(frozen=True, slots=True)
class Target:
    """What is the same for every request of a route."""

    url: URL
    headers: Mapping[str, str]
    proxy: str | None


@asynccontextmanager
async def aiohttp_tuner(
    wire: Wire, credentials: Mapping[str, Credential]
) -> AsyncIterator[AiohttpTuner]:
    """Open a session for posting; how many requests run at once is decided elsewhere."""
    headers = {
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
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=wire.timeout, sock_connect=CONNECT_SECONDS),
    ) as session:
        yield AiohttpTuner(session, credentials)


def create_call_url(route: Route) -> str:
    """Write the address that a call for *route* is posted to, its query percent-encoded."""
    workspace, agent = quote(route.workspace, safe=""), quote(route.agent, safe="")
    query = f"workspace_id={workspace}&agent_remote_identifier={agent}"
    return f"{route.destination.base_url}{PATH}?{query}"


def _target(route: Route, headers: Mapping[str, str]) -> Target:
    url = URL(create_call_url(route), encoded=True)
    return Target(url, headers, _proxy(url))


def _proxy(url: URL) -> str | None:
    """Find the proxy that the environment names for *url*; asked once, since aiohttp would ask for
    every request.
    """
    if url.host is None or proxy_bypass(url.host):
        return None
    return getproxies().get(url.scheme)


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


def _fault(error: Exception) -> Fault:
    match error:
        case aiohttp.ClientConnectorDNSError(
            os_error=socket.gaierror(errno=socket.EAI_NONAME | socket.EAI_NODATA)
        ):
            return Fault.UNKNOWN_HOST
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Fault.TLS
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Fault.CONNECT
        case asyncio.TimeoutError():
            return Fault.TIMEOUT
        case aiohttp.ClientPayloadError():
            return Fault.CUT_OFF
        case aiohttp.ClientResponseError():
            return Fault.NOT_HTTP
        case _:
            return Fault.DISCONNECTED
