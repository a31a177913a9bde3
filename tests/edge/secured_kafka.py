"""A real Kafka with a door for every way of logging in, and with access control behind it."""

import base64
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brokers import RealKafka, reserve_port
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from edge.certificates import Authority, Certificate
from kafka.cluster import Cluster
from kafka.jars import KafkaFiles

PASSWORD = "let me in"  # noqa: S105 - into a broker of this test
PLAIN_USERS = ("reader", "guest")
SCRAM_USER = "scrammer"
TOKEN_USER = "bearer"  # noqa: S105 - a name
REAUTH_SECONDS = 3.0

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_BEARER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
_DOORS = {
    "SASL": "SASL_PLAINTEXT",
    "TLS": "SSL",
    "BOTH": "SASL_SSL",
    "TOKEN": "SASL_PLAINTEXT",
}


@dataclass(frozen=True, slots=True)
class SecuredKafka:
    """The broker: its *cluster* is reached by the door that nobody guards, *doors* are the others,
    by name.
    """

    cluster: Cluster
    doors: Mapping[str, str]
    admin: AdminClient

    def allow(self, user: str, kind: ResourceType, name: str, *operations: AclOperation) -> None:
        """Let *user* do *operations*."""
        everything = (ResourcePatternType.LITERAL, f"User:{user}", "*")
        bindings = [
            AclBinding(kind, name, *everything, operation, AclPermissionType.ALLOW)
            for operation in operations
        ]
        for future in self.admin.create_acls(bindings).values():
            future.result(10)

    def forbid(self, user: str, kind: ResourceType, name: str, *operations: AclOperation) -> None:
        """Take back what *user* was allowed."""
        everything = (ResourcePatternType.LITERAL, f"User:{user}", "*")
        filters = [
            AclBindingFilter(kind, name, *everything, operation, AclPermissionType.ALLOW)
            for operation in operations
        ]
        for future in self.admin.delete_acls(filters).values():
            assert future.result(10)


@contextmanager
def secured_kafka(folder: Path, files: KafkaFiles, authority: Authority) -> Iterator[SecuredKafka]:
    """Run it, trusting *authority* and showing one of its certificates."""
    holders = [reserve_port() for _ in range(2 + len(_DOORS))]
    ports = [holder.getsockname()[1] for holder in holders]
    spare = iter(holders[:2])
    doors = {name: f"127.0.0.1:{port}" for name, port in zip(_DOORS, ports[2:], strict=True)}
    properties = _listeners(ports[:2], doors) | _logins() | _tls(folder, authority)
    broker = RealKafka(folder, files, properties=properties, reserve=lambda: _next(spare))
    try:
        with broker:
            cluster = Cluster(broker.address)
            admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                known = ScramCredentialInfo(mechanism, 4096)
                change = UserScramCredentialUpsertion(SCRAM_USER, known, PASSWORD.encode())
                admin.alter_user_scram_credentials([change])[SCRAM_USER].result(10)
            yield SecuredKafka(cluster, doors, admin)
    finally:
        for holder in holders:
            holder.close()


def token(user: str, *, seconds: float = 300.0) -> str:
    """Write a token that only a broker of a test would believe: nobody signed it."""
    now = time.time()
    claims = {"sub": user, "iat": now - 1, "exp": now + seconds}
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return "".join(base64.urlsafe_b64encode(part).decode().rstrip("=") + "." for part in parts)


def _next(spare: Iterator[socket.socket]) -> socket.socket:
    return next(spare, None) or reserve_port()


def _listeners(ports: list[int], doors: Mapping[str, str]) -> dict[str, str]:
    own = {"PLAINTEXT": f"127.0.0.1:{ports[0]}", "CONTROLLER": f"127.0.0.1:{ports[1]}"}
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **_DOORS}
    return {
        "listeners": ",".join(f"{name}://{address}" for name, address in {**own, **doors}.items()),
        "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
        "inter.broker.listener.name": "PLAINTEXT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _logins() -> dict[str, str]:
    users = " ".join(f'user_{user}="{PASSWORD}"' for user in PLAIN_USERS)
    found: dict[str, str] = {}
    for door in ("sasl", "both"):
        name = f"listener.name.{door}"
        found |= {
            f"{name}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"{name}.plain.sasl.jaas.config": f"{_PLAIN} {users};",
            f"{name}.scram-sha-256.sasl.jaas.config": _SCRAM,
            f"{name}.scram-sha-512.sasl.jaas.config": _SCRAM,
        }
    return found | {
        # Whoever logged in by this door has to do so again from time to time.
        "listener.name.both.connections.max.reauth.ms": str(int(REAUTH_SECONDS * 1000)),
        "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.token.oauthbearer.sasl.jaas.config": _BEARER,
    }


def _tls(folder: Path, authority: Authority) -> dict[str, str]:
    own = authority.sign("broker")
    store = folder / "broker-store.pem"
    store.write_bytes(own.key.read_bytes() + own.cert.read_bytes())
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority.ca,
        "listener.name.tls.ssl.client.auth": "required",
        "listener.name.both.ssl.client.auth": "none",
    }


def paths(certificate: Certificate) -> tuple[str, str]:
    """Give the files of *certificate*."""
    return str(certificate.cert), str(certificate.key)
