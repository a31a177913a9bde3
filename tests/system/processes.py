"""The commands as real processes: started, listened to, signalled, and ended whatever happens."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from brokers import guard
from prometheus_client.parser import text_string_to_metric_families
from system.waiting import SECONDS, eventually

from ingestor.devkit.fake_tuner.background import background

WIRE = "TEST_TUNER_WIRE"
PREFIXES = ("KAFKA_", "TUNER_", "INGESTOR_")
# What every service of a test is told: its pages are ours alone, on a port that is free.
PRIVATE = {
    "INGESTOR_OPS_HOST": "127.0.0.1",
    "INGESTOR_OPS_PORT": "0",
    "INGESTOR_LOG_FORMAT": "json",
}


# Nor is it slowed down when the tests are watched for coverage: it would be another one.
UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}


class CommandProcess:
    """A running command; *log* is what it has said on standard error, by line, *output* what it
    printed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._was_ended = False
        self._is_heard = asyncio.Event()
        self.log: list[str] = []
        self.output: list[str] = []

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._process.returncode is None

    @property
    def said(self) -> str:
        """Give all that it said, on both streams."""
        return "\n".join((*self.log, *self.output))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, after which it may end."""
        self._was_ended = True
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.signal(signal.SIGKILL)

    async def ended(self, within: float = SECONDS) -> int:
        """Wait for its end, and for all that it said before; return the exit code, or minus the
        signal that ended it.
        """
        self._was_ended = True
        async with asyncio.timeout(within):
            return await self._heard_out()

    async def listen(self) -> None:
        """Read both streams until they end."""
        async with asyncio.TaskGroup() as tasks:
            for stream, lines in (
                (self._process.stderr, self.log),
                (self._process.stdout, self.output),
            ):
                assert stream is not None
                tasks.create_task(_read(stream, lines))
        self._is_heard.set()

    async def close(self) -> None:
        """Kill it if it still runs, and hear it out."""
        if self.is_running:
            self.kill()
        await self._heard_out()

    async def _heard_out(self) -> int:
        code = await self._process.wait()
        await self._is_heard.wait()
        return code

    def check(self) -> None:
        """Fail when it has ended although nobody asked it to."""
        assert self.is_running or self._was_ended, (
            f"ended by itself with {self._process.returncode}:\n{self.said}"
        )


class ServiceProcess(CommandProcess):
    """A running `ingestor run`."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        super().__init__(process)
        self._http = http

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """Give its log; every line of it is a JSON object."""
        return [json.loads(line) for line in self.log]

    def entries_of(self, event: str) -> list[Mapping[str, Any]]:
        """Give the entries of one *event*."""
        return [entry for entry in self.entries if entry["event"] == event]

    async def until_said(self, event: str, within: float = SECONDS) -> Mapping[str, Any]:
        """Wait until it has told of *event*; return the last such entry."""
        entries: list[Mapping[str, Any]] = await self.until(lambda: self.entries_of(event), within)
        return entries[-1]

    async def until(self, look: Any, within: float = SECONDS) -> Any:
        """Wait until *look* sees something true, as long as the service lives."""

        async def look_at_the_living() -> Any:
            self.check()
            seen = look()
            return await seen if asyncio.iscoroutine(seen) else seen

        return await eventually(look_at_the_living, within, so_far=lambda: self.said)

    async def until_ready(self, within: float = SECONDS) -> None:
        """Wait until /readyz answers 200."""

        async def is_ready() -> bool:
            return (await self.readiness())[0] == 200

        await self.until(is_ready, within)

    async def readiness(self) -> tuple[int, list[str]]:
        """Ask /readyz: its status, and what stands against being ready."""
        status, text = await self.page("readyz")
        return status, json.loads(text)["because"]

    async def page(self, name: str) -> tuple[int, str]:
        """Ask for an operations page."""
        started = await self.until_said("started")
        address = f"http://127.0.0.1:{started['ops_port']}/{name}"
        async with self._http.get(address) as response:
            return response.status, await response.text()

    async def metric(self, name: str, **labels: str) -> float:
        """Add up the samples of a metric that have these *labels*."""
        _, text = await self.page("metrics")
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@asynccontextmanager
async def command(
    *arguments: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[CommandProcess]:
    """Run `ingestor` with *arguments* beside the block; nothing of our own settings reaches it but
    *environ*.
    """
    process = await _start(arguments, environ or {})
    async with _watched(process, CommandProcess(process)) as running:
        yield running


@asynccontextmanager
async def service(environ: Mapping[str, str]) -> AsyncIterator[ServiceProcess]:
    """Run `ingestor run` beside the block.

    AssertionError at the end when it did what no service may do, whatever the test was about: end
    by itself, meet a bug, or say what is no JSON.
    """
    process = await _start(("run",), {**PRIVATE, **UNMEASURED, **environ})
    async with aiohttp.ClientSession() as http:
        async with _watched(process, ServiceProcess(process, http)) as running:
            yield running
            running.check()
        assert running.entries_of("bug") == [], running.said
        assert running.output == []


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give this process' environment without settings, and with *environ*.

    `TEST_TUNER_WIRE` chooses the wire of every service that the tests start.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    wire = {"TUNER_WIRE": os.environ[WIRE]} if WIRE in os.environ else {}
    return {**kept, **wire, **environ}


async def _start(
    arguments: tuple[str, ...], environ: Mapping[str, str]
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ingestor",
        *arguments,
        env=clean_environment(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
        start_new_session=True,  # a Ctrl-C is for the tests, which then end it
    )


@asynccontextmanager
async def _watched(process: asyncio.subprocess.Process, running: Any) -> AsyncIterator[Any]:
    """Listen to it, and see that it ends with the block, or with this process."""
    keeper = guard(process.pid)
    try:
        async with background() as tasks:
            tasks.start(running.listen())
            try:
                yield running
            finally:
                await running.close()
    finally:
        keeper.kill()
        keeper.communicate()


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    while line := await stream.readline():
        lines.append(line.decode(errors="replace").rstrip("\n"))
