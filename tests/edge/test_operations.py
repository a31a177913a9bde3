"""Those who operate the service ask it over HTTP how it is."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from brokers import reserve_port
from edge.exposition import value
from prometheus_client.parser import text_string_to_metric_families

from ingestor.core.notice import Kind, Matter, Notice
from ingestor.edge.health import Health
from ingestor.edge.metrics import Metrics, Readings
from ingestor.edge.operations import operations


@dataclass
class Served:
    """The pages, and what stands behind them."""

    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=lambda: Metrics("1.2.3"))
    url: str = ""

    async def get(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Ask for a page: its status, content type and text."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}{path}") as response,
        ):
            return response.status, response.headers["Content-Type"], await response.text()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The operations port of a service that has only begun."""
    served = Served()
    async with operations("127.0.0.1", 0, served.health, served.metrics) as port:
        served.url = f"http://127.0.0.1:{port}"
        yield served


def hold(health: Health) -> None:
    """Have a key be wrong."""
    key = Matter(Kind.FAULT, "credential default")
    health.held[key] = Notice(key, "unauthorized", "mend it")


async def test_it_lives_as_long_as_it_answers(served: Served) -> None:
    """Neither Kafka nor Tuner has a say: a restart would mend neither."""
    hold(served.health)

    status, _, text = await served.get("/livez")

    assert (status, text) == (200, "ok\n")


async def test_it_is_ready_or_says_why_not(served: Served) -> None:
    """For probes by its status, for people by its reasons."""
    status, kind, text = await served.get("/readyz")
    assert (status, kind) == (503, "application/json")
    assert text == '{"ready":false,"because":["starting: the group is not joined yet"]}\n'

    served.health.has_joined = True
    status, _, text = await served.get("/readyz")
    assert (status, text) == (200, '{"ready":true,"because":[]}\n')

    hold(served.health)
    served.health.is_draining = True
    status, _, text = await served.get("/readyz")
    assert status == 503
    because = json.loads(text)["because"]
    assert because[0].startswith("held: credential default (unauthorized) since ")
    assert because[1:] == ["draining"]


async def test_metrics_are_what_prometheus_reads(served: Served) -> None:
    """In its text format, under its content type, with the values of the moment."""
    number = iter(range(5, 100))
    served.metrics.read(
        Readings(
            slots_in_use=lambda: next(number),
            slots_limit=lambda: 64,
            waiting_records=lambda: 0,
            waiting_bytes=lambda: 0,
            is_member=lambda: True,
        )
    )
    for _ in range(3):
        served.metrics.attempts.add("201")

    status, kind, text = await served.get("/metrics")

    assert status == 200
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"ingestor_attempts", "ingestor_slots_in_use", "ingestor_build_info"} <= families
    assert 'ingestor_attempts_total{status="201"} 3.0' in text
    assert "ingestor_slots_in_use 5.0" in text
    assert value(served.metrics, "slots_in_use") == 6


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/livez/", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/readyz", 405),
        ("DELETE", "/metrics", 405),
        ("HEAD", "/livez", 200),
    ],
)
async def test_nothing_else_is_served(served: Served, method: str, path: str, status: int) -> None:
    """And what is not there says no more than that."""
    answered, _, text = await served.get(path, method)

    assert answered == status
    assert text in ("", "404: Not Found", "405: Method Not Allowed")


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/status", "/holds/all"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"])
async def test_nothing_can_be_changed(served: Served, method: str, path: str) -> None:
    """Whoever reaches the port may only look: there is nothing to guard with a token."""
    before = served.metrics.text()

    answered, _, text = await served.get(path, method)

    assert answered in (404, 405)
    assert text in ("404: Not Found", "405: Method Not Allowed")
    assert served.metrics.text() == before
    assert served.health.obstacles == ["starting: the group is not joined yet"]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /marker-4c1f HTTP/1.1",
        b"GET /livez?marker-4c1f HTTP/1.1",
        b"GET http://evil.test/marker-4c1f HTTP/1.1",
        b"POST /readyz HTTP/1.1",
    ],
)
async def test_nothing_is_repeated(served: Served, request_line: bytes) -> None:
    """What somebody asks for, by its address or its headers, is on no page."""
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_line + b"\r\nHost: x\r\nConnection: close\r\nX-A: marker-4c1f\r\n\r\n")

    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.")
    assert b"marker" not in answer


async def test_a_failure_says_nothing_of_its_cause(served: Served) -> None:
    """The page is open to whoever reaches the port."""

    def broken() -> int:
        raise ValueError("private")

    served.metrics.read(
        Readings(
            slots_in_use=broken,
            slots_limit=lambda: 0,
            waiting_records=lambda: 0,
            waiting_bytes=lambda: 0,
            is_member=lambda: True,
        )
    )

    status, _, text = await served.get("/metrics")

    assert status == 500
    assert "private" not in text
    assert "Traceback" not in text


async def test_a_port_that_is_taken_is_an_error_of_the_system() -> None:
    """Before anything else was begun."""
    with reserve_port() as holder:
        holder.listen()
        with pytest.raises(OSError, match="in use"):
            async with operations("127.0.0.1", holder.getsockname()[1], Health(), Metrics("1")):
                pytest.fail("it is taken")


async def test_the_port_is_free_again_afterwards() -> None:
    """Also when somebody is still connected, such as a probe that keeps its connection."""
    async with operations("127.0.0.1", 0, Health(), Metrics("1")) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"ok\n")

    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass


async def test_ipv6_is_served_as_well() -> None:
    """Some clusters have nothing else."""
    served = Served()
    async with operations("::1", 0, served.health, served.metrics) as port:
        served.url = f"http://[::1]:{port}"
        assert (await served.get("/livez"))[0] == 200
