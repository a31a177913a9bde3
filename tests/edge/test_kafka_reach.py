"""Why no broker lets us in is found out, and told without anybody's words."""

import asyncio
import struct
from pathlib import Path

from brokers import reserve_port
from edge.certificates import Authority, server_context
from edge.hostile import Peer, serving

from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_reach import obstacle
from ingestor.edge.oauth import OAuthClient
from ingestor.edge.tls import Tls

MECHANISM = b"OAUTHBEARER"


async def hang_up(_: Peer) -> None:
    """Let nobody in."""


async def test_a_broker_that_lets_us_in_is_no_obstacle(broker: EmbeddedBroker) -> None:
    """It may have come up since."""
    assert await obstacle(Connection(broker.bootstrap_servers, "test")) is None


async def test_every_cause_is_told_once() -> None:
    """Brokers may differ; with many of them a few tell enough."""
    with reserve_port() as holder:
        closed = f"127.0.0.1:{holder.getsockname()[1]}"
        async with serving(hang_up) as server:
            addresses = f"{closed},127.0.0.1:{server.port}"
            assert await obstacle(Connection(addresses, "test")) == (
                "ConnectionRefusedError, KafkaConnectionError"
            )
            await obstacle(Connection(",".join([f"127.0.0.1:{server.port}"] * 9), "test"))

    assert server.opened == 4


async def test_a_certificate_that_is_not_trusted_is_named(authority: Authority) -> None:
    """It looks like a broker that is away, and is something else to mend."""
    context = server_context(await asyncio.to_thread(authority.sign, "stranger"))
    async with serving(hang_up, context) as server:
        connection = Connection(f"127.0.0.1:{server.port}", "test", "SSL")
        assert await obstacle(connection) == "SSLCertVerificationError"


async def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """It may come: secrets are mounted late."""
    connection = Connection("127.0.0.1:1", "test", "SSL", Tls(str(tmp_path / "ca.pem")))

    assert await obstacle(connection) == "FileNotFoundError"


async def demanding_a_token(peer: Peer) -> None:
    """Be a broker up to the point where it wants a token."""
    versions = struct.pack(">hi", 0, 2) + struct.pack(">hhh", 18, 0, 0)
    handshake = struct.pack(">hi", 0, 1) + struct.pack(">h", len(MECHANISM)) + MECHANISM
    for answer in (versions + struct.pack(">hhh", 17, 1, 1), handshake):
        size = int.from_bytes(await peer.reader.readexactly(4))
        request = await peer.reader.readexactly(size)
        await peer.send(struct.pack(">i", 4 + len(answer)) + request[4:8] + answer)
    await peer.closed()


async def test_a_token_that_is_refused_is_told_with_its_status() -> None:
    """In our own words: an answer may repeat the secret."""

    async def refuse(peer: Peer) -> None:
        await peer.request()
        await peer.answer("401 Unauthorized", b'{"error": "s3cret"}')

    async with serving(refuse) as login, serving(demanding_a_token) as server:
        connection = Connection(
            f"127.0.0.1:{server.port}",
            "test",
            "SASL_PLAINTEXT",
            sasl_mechanism=MECHANISM.decode(),
            oauth=OAuthClient(login.url, "id", "s3cret"),
        )
        assert await obstacle(connection) == "the token endpoint answered 401"
