"""Describes the machine that something was measured on."""

import os
import platform
import subprocess
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """The processor and how many of its *cores* we have, memory, system, Python, the code's
    *commit*, and how many processes waited to run when it began (*load*).
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    commit: str
    load: float


def describe() -> Machine:
    """Describe this machine."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages * page / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        commit=_commit(),
        load=round(os.getloadavg()[0], 1),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _commit() -> str:
    """Name the commit, and whether anything but results was changed since."""
    changed = _git("status", "--porcelain", "--", ":/", ":(top,exclude)tests/bench/results")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    asked = subprocess.run(  # noqa: S603 - found by name
        ["git", *arguments],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()
