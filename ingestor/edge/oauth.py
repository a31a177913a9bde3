"""Fetches and keeps the token for SASL OAUTHBEARER: client credentials grant, RFC 6749, 4.4."""

import asyncio
import ssl
import time
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote_plus

import aiohttp
import msgspec
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

# Part of a token's life after which the next one is fetched: connections opened late still have a
# good one.
REFRESHED_AT = 0.8
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """Who asks for tokens, and where."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    ca: str | None = None


class NoTokenError(KafkaConnectionError):  # type: ignore[misc]  # aiokafka is not typed
    """Says why there is no token, and nothing of what was sent or answered."""


class _Token(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: float = 300.0


# Not strict: some servers write the number as a string.
_decoder = msgspec.json.Decoder(_Token, strict=False)


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is not typed
    """Gives aiokafka a token at every connection; *timeout* in seconds is for fetching one."""

    def __init__(self, client: OAuthClient, timeout: float = TIMEOUT_SECONDS) -> None:
        self._client = client
        self._timeout = aiohttp.ClientTimeout(timeout)
        self._token = ""
        self._good_until = 0.0
        self._one = asyncio.Lock()

    async def token(self) -> str:
        """Give a token, a fresh one if need be; NoTokenError when none is to be had."""
        async with self._one:
            if time.monotonic() >= self._good_until:
                await self._refresh()
            return self._token

    async def _refresh(self) -> None:
        client = self._client
        form = {"grant_type": "client_credentials"} | (
            {"scope": client.scope} if client.scope else {}
        )
        asked = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(
                    client.token_url,
                    data=form,
                    headers={"Authorization": _authorization(client)},
                    ssl=ssl.create_default_context(cafile=client.ca),
                    allow_redirects=False,
                ) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise NoTokenError(f"the token endpoint answered {response.status}")
                token = _decoder.decode(await response.read())
        # From None: an error of aiohttp holds the request, and with it the secret.
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            raise NoTokenError(f"no token: {type(error).__name__}") from None
        except msgspec.DecodeError:
            raise NoTokenError("the token endpoint's answer has no token") from None
        self._token = token.access_token
        self._good_until = asked + token.expires_in * REFRESHED_AT


def _authorization(client: OAuthClient) -> str:
    """Write the name and the secret as RFC 6749 has it, 2.3.1: both encoded, since either may have
    a colon.
    """
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"
