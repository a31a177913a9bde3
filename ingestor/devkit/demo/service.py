"""Runs the real service as a process of its own, and reads what it says of itself."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from ingestor.devkit.fake_tuner.background import background

COMMAND = (sys.executable, "-m", "ingestor", "run")
START_SECONDS = 20.0
STOP_SECONDS = 30.0
_PAUSE_SECONDS = 0.05


class DemoFailedError(Exception):
    """Says what went wrong with a part of the demo, in a sentence."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the service's metrics say: finished records by outcome and reason, and requests."""

    records: Mapping[tuple[str, str], int] = field(default_factory=dict)
    attempts: int = 0

    @property
    def finished(self) -> int:
        """How many records are finished."""
        return sum(self.records.values())

    def count(self, outcome: str) -> int:
        """How many ended with *outcome*, for whatever reason."""
        return sum(count for (ended, _), count in self.records.items() if ended == outcome)


class Service:
    """A running service; *log* is what it has said, line by line.

    Every method raises DemoFailedError when the service does not do as it should.
    """

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self._process = process
        self._http = http
        self._address = ""
        self.log: list[Mapping[str, Any]] = []

    async def listen(self) -> None:
        """Read its log until it ends."""
        assert self._process.stderr is not None  # noqa: S101 - it was started with a pipe
        async for line in self._process.stderr:
            entry = _entry(line)
            self.log.append(entry)
            if "ops_port" in entry:
                self._address = f"http://127.0.0.1:{entry['ops_port']}"

    async def ready(self, within: float = START_SECONDS) -> None:
        """Wait until it is ready to take events."""
        try:
            async with asyncio.timeout(within):
                while True:
                    if await self._is_ready():
                        return
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            raise DemoFailedError(f"the service was not ready within {within:g} s") from None

    async def totals(self) -> Totals:
        """Ask for its metrics."""
        _, text = await self._get("metrics")
        return read_totals(text)

    async def stop(self, within: float = STOP_SECONDS) -> None:
        """Ask it to drain, and wait until it has."""
        self._check()
        self._process.terminate()
        try:
            async with asyncio.timeout(within):
                code = await self._process.wait()
        except TimeoutError:
            raise DemoFailedError(f"the service did not end within {within:g} s") from None
        if code != 0:
            raise DemoFailedError(f"the service ended with exit code {code}")

    async def _is_ready(self) -> bool:
        self._check()
        if not self._address:
            return False
        status, _ = await self._get("readyz")
        return status == HTTPStatus.OK

    async def _get(self, page: str) -> tuple[int, str]:
        self._check()
        try:
            async with self._http.get(f"{self._address}/{page}") as response:
                return response.status, await response.text()
        except aiohttp.ClientError as error:
            raise DemoFailedError(f"the service does not answer: {type(error).__name__}") from error

    def _check(self) -> None:
        if self._process.returncode is not None:
            last = self.log[-1].get("event") if self.log else "none"
            raise DemoFailedError(f"the service ended by itself; its last words: {last}")


@asynccontextmanager
async def running_service(
    environ: Mapping[str, str], command: Sequence[str] = COMMAND
) -> AsyncIterator[Service]:
    """Run *command* with *environ* as its environment; it is killed if it still runs at the end."""
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with aiohttp.ClientSession() as http, background() as tasks:
            service = Service(process, http)
            tasks.start(service.listen())
            yield service
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def read_totals(metrics: str) -> Totals:
    """Read the counts out of Prometheus' text format."""
    records: dict[tuple[str, str], int] = {}
    attempts = 0
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == "ingestor_records_total":
                records[sample.labels["outcome"], sample.labels["reason"]] = int(sample.value)
            elif sample.name == "ingestor_attempts_total":
                attempts += int(sample.value)
    return Totals(records, attempts)


def _entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"event": line.decode(errors="replace").strip()}
    return entry if isinstance(entry, dict) else {"event": str(entry)}
