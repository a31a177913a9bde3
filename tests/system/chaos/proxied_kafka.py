"""A real Kafka with a door of its own for each of several services, each door behind a proxy.

A door is a listener whose advertised port is the proxy's: nothing on the way has to be rewritten,
and a client that comes by one door never learns of another. Tests look on by the plain door.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brokers import RealKafka, reserve_port
from kafka.cluster import Cluster
from kafka.jars import KafkaFiles


@dataclass(frozen=True, slots=True)
class Door:
    """A way in: a proxy is to listen on the *advertised* port and to lead to the port *behind*."""

    advertised: int
    behind: int


@dataclass(frozen=True, slots=True)
class ProxiedKafka:
    """The *broker*, a client of it that no proxy disturbs, and the *doors* for the services."""

    broker: RealKafka
    cluster: Cluster
    doors: Sequence[Door]


@contextmanager
def proxied_kafka(folder: Path, files: KafkaFiles, doors: int) -> Iterator[ProxiedKafka]:
    """Run a broker with so many *doors*; the ports stay reserved until the end."""
    holders = [reserve_port() for _ in range(2 + 2 * doors)]
    ports = [holder.getsockname()[1] for holder in holders]
    spare = iter(holders[:2])
    ways = [Door(*pair) for pair in zip(ports[2::2], ports[3::2], strict=True)]
    broker = RealKafka(
        folder, files, properties=_properties(ports[:2], ways), reserve=lambda: next(spare)
    )
    try:
        with broker:
            yield ProxiedKafka(broker, Cluster(broker.address), ways)
    finally:
        for holder in holders:
            holder.close()


def _properties(ports: Sequence[int], doors: Sequence[Door]) -> dict[str, str]:
    plain, controller = (f"127.0.0.1:{port}" for port in ports)
    names = [f"DOOR{number}" for number in range(len(doors))]
    listeners = {"PLAINTEXT": plain, "CONTROLLER": controller}
    advertised = {"PLAINTEXT": plain}
    for name, door in zip(names, doors, strict=True):
        listeners[name] = f"127.0.0.1:{door.behind}"
        advertised[name] = f"127.0.0.1:{door.advertised}"
    return {
        "listeners": _joined(listeners),
        "advertised.listeners": _joined(advertised),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        "inter.broker.listener.name": "PLAINTEXT",
    }


def _joined(listeners: dict[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())
