"""Posts to Tuner through aiohttp."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from types import MappingProxyType

import aiohttp
from yarl import URL

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.proxies import proxy_for
from ingestor.edge.requests import (
    CONNECT_SECONDS,
    IDLE_SECONDS,
    LARGE_BODY_BYTES,
    MOST_ANSWER_BYTES,
    MOST_TARGETS,
    Wire,
    create_call_url,
)


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
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=IDLE_SECONDS, ssl=wire.tls.context()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=wire.headers,
        timeout=aiohttp.ClientTimeout(total=wire.timeout, sock_connect=CONNECT_SECONDS),
    ) as session:
        yield AiohttpTuner(session, headers, wire.proxies)


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
