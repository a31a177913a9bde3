"""Runs the real service as a process of its own, and reads what it says of itself."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

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
    """A running service; *log* is what it has said, line by line."""

    def __init__(self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self._process = process
        self._http = http
        self._address = ""
        self.log: list[Mapping[str, Any]] = []

    async def listen(self, stderr: asyncio.StreamReader) -> None:
        """Read its log until it ends."""
        async for line in stderr:
            entry = _entry(line)
            self.log.append(entry)
            if "ops_port" in entry:
                self._address = f"http://127.0.0.1:{entry['ops_port']}"

    async def ready(self) -> None:
        """Wait until it is ready to take events."""
        async with asyncio.timeout(START_SECONDS):
            while not await self._is_ready():
                self.check()
                await asyncio.sleep(_PAUSE_SECONDS)

    async def totals(self) -> Totals:
        """Ask for its metrics."""
        async with self._http.get(f"{self._address}/metrics") as response:
            return read_totals(await response.text())

    async def stop(self) -> None:
        """Ask it to drain, and wait until it has."""
        self._process.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            code = await self._process.wait()
        if code != 0:
            raise DemoFailedError(f"the service ended with exit code {code}")

    def check(self) -> None:
        """Raise when it has ended by itself."""
        if self._process.returncode is not None:
            last = self.log[-1] if self.log else {}
            raise DemoFailedError(f"the service ended by itself; its last words: {last}")

    async def _is_ready(self) -> bool:
        if not self._address:
            return False
        async with self._http.get(f"{self._address}/readyz") as response:
            return response.status == HTTPStatus.OK


@asynccontextmanager
async def running_service(environ: Mapping[str, str]) -> AsyncIterator[Service]:
    """Run `ingestor run` with *environ* as its environment; it is killed if it still runs at the
    end.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingestor", "run", env=environ, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            service = Service(process, http)
            if process.stderr is not None:
                tasks.create_task(service.listen(process.stderr))
            yield service
            if process.returncode is None:
                process.kill()
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
