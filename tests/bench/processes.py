"""Measures the processes of a peer: the processor time and the memory of a whole tree (Linux)."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# Fields of /proc/PID/stat after the name: its own time and that of children it waited for.
_TIMES = slice(11, 15)


def cpu_seconds(roots: Sequence[int]) -> float:
    """Give the processor time that these processes and all below them have used, in seconds."""
    return sum(map(_ticks, _tree(roots))) / _TICKS_A_SECOND


def machine_seconds() -> float:
    """Give the processor time that all processes of the machine have used, and the system for them,
    in seconds.
    """
    # user, nice, system, idle, iowait, irq and softirq: the two in the middle only wait.
    fields = _read(_PROC / "stat").split()[1:8]
    return sum(map(int, fields[:3] + fields[5:])) / _TICKS_A_SECOND


def peak_mib(roots: Sequence[int]) -> float:
    """Give what they held at most, each at its own worst time, in MiB of resident memory."""
    return sum(map(_peak_kib, _tree(roots))) / 1024


def _tree(roots: Sequence[int]) -> Iterator[int]:
    for pid in roots:
        yield pid
        for listed in (_PROC / str(pid) / "task").glob("*/children"):
            yield from _tree([int(child) for child in _read(listed).split()])


def _ticks(pid: int) -> int:
    _, _, fields = _read(_PROC / str(pid) / "stat").rpartition(") ")
    return sum(map(int, fields.split()[_TIMES]))


def _peak_kib(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended since
        return ""
