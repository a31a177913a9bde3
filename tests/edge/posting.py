"""Posts one call to a server that misbehaves, over either wire."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

from builders import destination, route
from edge.hostile import Script, serving

from ingestor.core.answer import Answer
from ingestor.edge.credentials import Credential
from ingestor.edge.requests import Kind, Wire
from ingestor.edge.tls import Tls
from ingestor.edge.tuner_aiohttp import AiohttpTuner
from ingestor.edge.tuner_lean import LeanTuner
from ingestor.edge.tuners import open_tuner

KEY = "the-key"


class Nobody(Tls):
    """Trusts nobody: reading whom the system trusts takes longer than most of these tests."""

    def context(self) -> ssl.SSLContext:
        """Build a context that lets no certificate pass."""
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Client:
    """Posts over a wire of this *kind*."""

    kind: Kind

    @property
    def is_lean(self) -> bool:
        """Whether it is ours and not that of aiohttp."""
        return self.kind is Kind.LEAN

    @asynccontextmanager
    async def opened(
        self,
        key: Credential = Credential(KEY),  # noqa: B008 - it is frozen
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - it is the one under test
        tls: Tls = Nobody(),  # noqa: B008 - it is frozen
        proxies: Mapping[str, str] = MappingProxyType({}),
        **others: Credential,
    ) -> AsyncIterator[AiohttpTuner | LeanTuner]:
        """Open a Tuner with *key* as the default credential, and *others* by name."""
        wire = Wire(timeout, tls, "ingestor/test", proxies, self.kind)
        headers = {name: it.headers() for name, it in {"default": key, **others}.items()}
        async with open_tuner(wire, headers) as tuner:
            yield tuner

    async def post(
        self,
        script: Script,
        body: bytes = b"{}",
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - it is the one under test
        server_tls: ssl.SSLContext | None = None,
        tls: Tls = Nobody(),  # noqa: B008 - it is frozen
        scheme: str | None = None,
    ) -> Answer:
        """Post *body* once to a server that plays *script*; *scheme* is not the server's by
        mistake.
        """
        async with (
            serving(script, server_tls) as server,
            self.opened(timeout=timeout, tls=tls) as tuner,
        ):
            url = server.url.replace(server.scheme, scheme or server.scheme)
            return await tuner.post(body, route(to=destination(url)))
