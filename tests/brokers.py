"""The brokers tests run against: a real Kafka they may kill, one they were given, the embedded one.

`RealKafka` is one Apache Kafka (KRaft, broker and controller in one process) on loopback, with its
data in a folder of the test's. Its methods block: in a test with an event loop, call them through
`asyncio.to_thread`.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from kafka.jars import KafkaFiles

from ingestor.devkit.embedded_broker import EmbeddedBroker

_START_SECONDS = 25.0
_STOP_SECONDS = 15.0
_PORT_TRIES = 3
_LOG_TAIL = 3000
_TAKEN = "Address already in use"

# Kafka's own defaults are for a cluster: replicas one broker cannot have, and waits for others.
_PROPERTIES: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",  # a missing topic must be seen
    "num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # After a kill the broker is let in again only when its last life's session is over (9 s).
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}


class KafkaFailedError(Exception):
    """Says that a broker did not come up or go down, with the end of its log."""


class PortTakenError(KafkaFailedError):
    """Says that another process had one of the broker's ports first."""


def reserve_port() -> socket.socket:
    """Bind a port of the kernel's choice on loopback without listening on it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class RealKafka:
    """Run Apache Kafka from *files* with its data, log and settings in *folder*.

    *properties* are broker settings that override ours. `with` starts it and kills it at the end;
    it also dies with this process, however that ends. Raises KafkaFailedError when it does not come
    up or go down in time, RuntimeError when it runs and should not, or the other way round.
    """

    def __init__(
        self,
        folder: Path,
        files: KafkaFiles,
        *,
        properties: Mapping[str, str] | None = None,
        reserve: Callable[[], socket.socket] = reserve_port,
    ) -> None:
        self._folder = folder
        self._files = files
        self._properties = dict(properties or {})
        self._reserve = reserve
        self._holders: list[socket.socket] = []
        self._ports: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Give the bootstrap servers; they stay the same over any number of restarts."""
        if not self._ports:
            raise RuntimeError("the broker was never started")
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def pid(self) -> int:
        """Give the process id of the broker that runs."""
        return self._running().pid

    @property
    def data(self) -> Path:
        """Give the folder with a folder for each partition, `topic-number`."""
        return self._folder / "data"

    @property
    def is_running(self) -> bool:
        """Tell whether the broker was started and has not ended since."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the broker; return when it answers a metadata request."""
        if self.is_running:
            raise RuntimeError("the broker runs already")
        self._reap()
        if self._ports:  # the address is a promise now
            self._launch()
            return
        for _ in range(_PORT_TRIES - 1):
            self._choose_ports()
            with suppress(PortTakenError):
                self._launch()
                return
        self._choose_ports()
        self._launch()

    def stop(self) -> None:
        """Have the broker leave in order (SIGTERM); its data stays."""
        process = self._running()
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._reap()
            raise KafkaFailedError(f"no end within {_STOP_SECONDS} s\n{self._log_end()}") from None
        self._reap()

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would; its data stays."""
        self._running()
        self._reap()

    def restart(self) -> None:
        """Start the broker again on its port and data, stopping it first if it runs."""
        if self.is_running:
            self.stop()
        self.start()

    def close(self) -> None:
        """Kill the broker if it runs, and give up its ports."""
        self._reap()
        self._let_ports_go()
        self._ports = []

    def _choose_ports(self) -> None:
        self._let_ports_go()
        self._holders = [self._reserve(), self._reserve()]
        self._ports = [holder.getsockname()[1] for holder in self._holders]
        # On Linux the broker can bind a port that we hold without listening, so that nobody else
        # gets it, not even as the near end of a connection, also while the broker is dead.
        # Elsewhere two sockets cannot share one; there another process may be quicker.
        if sys.platform != "linux":
            self._let_ports_go()

    def _let_ports_go(self) -> None:
        while self._holders:
            self._holders.pop().close()

    def _launch(self) -> None:
        data, settings = self.data, self._folder / "broker.properties"
        if not data.exists():
            shutil.copytree(self._files.formatted, data)
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._settings(data)))
        self._log.write_bytes(b"")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a command of our own
                self._files.command("kafka.Kafka", str(settings)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests, which then end the broker
            )
        self._guard = guard(self._process.pid)
        try:
            self._await_answer(self._process)
        except BaseException:
            self._reap()
            raise

    def _settings(self, data: Path) -> Iterable[tuple[str, str]]:
        broker, controller = (f"127.0.0.1:{port}" for port in self._ports)
        own = {
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(data),
        }
        return (own | dict(_PROPERTIES) | self._properties).items()

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        backoff = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 100}
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0, **backoff})
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            answered = False
            with suppress(KafkaException):  # nobody listens yet, or nobody answers
                answered = bool(admin.list_topics(timeout=0.5).brokers)
            if process.poll() is not None:
                end = self._log_end()
                raise (PortTakenError if _TAKEN in end else KafkaFailedError)(end)
            if answered:
                return
        raise KafkaFailedError(f"no answer within {_START_SECONDS} s\n{self._log_end()}")

    @property
    def _log(self) -> Path:
        return self._folder / "broker.log"

    def _log_end(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("the broker does not run")
        return self._process

    def _reap(self) -> None:
        for child in (self._guard, self._process):  # the guard first: it must not hit a later pid
            if child is not None:
                child.kill()
                child.communicate()
        self._guard = self._process = None


def guard(pid: int) -> subprocess.Popen[bytes]:
    """Start what kills process *pid* when this process ends; kill it before *pid* is reaped."""
    # The pipe ends with us, by a kill too; what waits at its other end then ends the other.
    script = 'read -r _; kill -KILL "$1"'
    return subprocess.Popen(  # noqa: S603  # a command of our own
        ["/bin/sh", "-c", script, "guard", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@dataclass(frozen=True, slots=True)
class GivenKafka:
    """Name a Kafka that somebody else runs, at *address*."""

    address: str


@dataclass(frozen=True, slots=True)
class EmbeddedKafka:
    """Show the embedded *broker* as the other two are shown."""

    broker: EmbeddedBroker

    @property
    def address(self) -> str:
        """Give the bootstrap servers."""
        return self.broker.bootstrap_servers


Broker: TypeAlias = RealKafka | GivenKafka | EmbeddedKafka
