"""Fixtures for the tests of the fake Tuner."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import aiohttp
import pytest

from ingestor.devkit.fake_tuner import FakeTuner


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without cookies, proxies or decompression."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        yield session


@pytest.fixture
async def tuner() -> AsyncIterator[FakeTuner]:
    """A fake Tuner with the default options."""
    async with FakeTuner().serve() as tuner:
        yield tuner


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that signs itself, with its key."""

    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.cert))


@pytest.fixture
async def certificate(tmp_path: Path) -> Certificate:
    """A certificate made on the spot: none that could run out or leak lies in the repository."""
    openssl = which("openssl")
    assert openssl is not None, "these tests make their certificate with the openssl program"
    made = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(made.key), "-out", str(made.cert))
    process = await asyncio.create_subprocess_exec(
        openssl, *options.split(), *subject, *files, stderr=asyncio.subprocess.PIPE
    )
    _, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return made
