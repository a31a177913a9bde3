"""Runs the sink of a race, and asks it what arrived."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from bench import building
from bench.owning import owned

CALLS = "/api/v1/public/call"
_ASK_SECONDS = 10.0
_T = TypeVar("_T")


class Count(msgspec.Struct, frozen=True):
    """How many calls were accepted, how many *distinct* ones, and how many were *failed*."""

    accepted: int
    distinct: int
    failed: int


class Story(Count, frozen=True):
    """What came: when the first request did, when each hundredth part of the calls was accepted
    (both in ns since 1970), how long events with a time took, how many requests were there at once
    at most, and how many connections were opened.
    """

    first_ns: int
    times_ns: tuple[int, ...]
    lags_ms: tuple[float, ...]
    peak: int
    connections: int


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink that runs at *url*; over TLS *ca_file* is to be trusted. *about* tells what came."""

    url: str
    about: str
    ca_file: Path | None

    def count(self) -> Count:
        """Ask for the count."""
        return self._ask("count", Count)

    def story(self) -> Story:
        """Ask for all."""
        return self._ask("story", Story)

    def _ask(self, what: str, kind: type[_T]) -> _T:
        address = f"http://{self.about}/{what}"
        with urllib.request.urlopen(address, timeout=_ASK_SECONDS) as answer:  # ours
            return msgspec.convert(json.load(answer), kind)


@contextmanager
def running_sink(
    folder: Path,
    *,
    delay_ms: float = 0.0,
    failing: float = 0.0,
    failure: int = 503,
    tls: bool = False,
) -> Iterator[Sink]:
    """Run a sink beside the block, with its certificate in *folder*.

    It answers after *delay_ms*, and the share *failing* of all requests with the status *failure*.
    """
    command = [str(building.sink()), f"-delay={delay_ms}ms"]
    command += [f"-fail={failing}", f"-status={failure}"]
    if tls:
        command.append(f"-tls={folder}")
    with owned(command, {}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        calls, _, about = process.stdout.readline().decode().strip().partition(" ")
        if not about:
            raise RuntimeError("the sink did not start")
        scheme = "https" if tls else "http"
        yield Sink(f"{scheme}://{calls}", about, folder / "ca.pem" if tls else None)
