"""The services of a run of chaos: each slot has its own way to Kafka and to Tuner, and one service
after the other.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from system.chaos.plan import DRAIN_SECONDS
from system.chaos.proxy import Proxy
from system.processes import ServiceProcess, service

from ingestor.devkit.fake_tuner.background import Background

# Beside the drain: two seconds each for letters, commit and leaving; and a busy machine.
EXIT_SECONDS = DRAIN_SECONDS + 6.0 + 2.0


@dataclass(slots=True, eq=False)
class Life:
    """One service in *slot*, from its start to its end."""

    slot: int
    began: float
    running: ServiceProcess
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a process holds: resident bytes, open files, threads."""

    resident: int
    files: int
    threads: int


class Slot:
    """A place for a service."""

    def __init__(
        self, number: int, environ: Mapping[str, str], kafka: Proxy, tuner: Proxy, tasks: Background
    ) -> None:
        self.number = number
        self.kafka = kafka
        self.tuner = tuner
        self.lives: list[Life] = []
        # One deed at a time, however long the one before it takes.
        self.turn = asyncio.Lock()
        self._environ = {
            **environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
            "TUNER_BASE_URL": f"http://{tuner.address}",
        }
        self._tasks = tasks

    @property
    def living(self) -> ServiceProcess | None:
        """The service that runs here now."""
        running = self.lives[-1].running if self.lives else None
        return running if running is not None and running.is_running else None

    async def start(self) -> None:
        """Start a service; return when its process runs."""
        begun: asyncio.Future[Life] = asyncio.get_running_loop().create_future()
        self._tasks.start(self._live(begun))
        self.lives.append(await begun)

    async def kill(self) -> None:
        """End it at once."""
        running = self._running()
        running.kill()
        await running.ended()
        self.lives[-1].over.set()

    async def stop(self) -> float:
        """Have it leave; return how long it took. AssertionError when it does not do so well."""
        running = self._running()
        await running.until_said("started")  # before that a signal just ends it
        began = time.monotonic()
        running.signal(signal.SIGTERM)
        try:
            code = await running.ended(EXIT_SECONDS)
        except TimeoutError:
            code = None
        assert code == 0, (
            f"slot {self.number}: {code} after {time.monotonic() - began:.1f} s\n{running.said}"
        )
        self.lives[-1].over.set()
        return time.monotonic() - began

    def freeze(self) -> None:
        """Let it stand still."""
        os.kill(self._running().pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._running().pid, signal.SIGCONT)

    def vitals(self) -> Vitals:
        """Measure the process."""
        home = Path("/proc") / str(self._running().pid)
        said = dict(line.split(":", 1) for line in (home / "status").read_text().splitlines())
        files = len(list((home / "fd").iterdir()))
        return Vitals(int(said["VmRSS"].split()[0]) * 1024, files, int(said["Threads"]))

    def check(self) -> None:
        """Fail when a service has ended although nobody asked it to."""
        for life in self.lives:
            life.running.check()

    async def _live(self, begun: "asyncio.Future[Life]") -> None:
        began = time.monotonic()
        async with service(self._environ) as running:
            life = Life(self.number, began, running)
            begun.set_result(life)
            await life.over.wait()

    def _running(self) -> ServiceProcess:
        assert self.living is not None, f"no service in slot {self.number}"
        return self.living
