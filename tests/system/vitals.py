"""What a service's process takes of the machine."""

from pathlib import Path

MiB = 2**20


def resident(pid: int) -> int:
    """Read how many bytes of memory process *pid* has now."""
    return _bytes(pid, "VmRSS")


def most_resident(pid: int) -> int:
    """Read how many it had at most."""
    return _bytes(pid, "VmHWM")


def _bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024
