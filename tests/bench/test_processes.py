"""A peer's cost is that of its whole tree, measured on processes that are there."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from bench.processes import cpu_seconds, machine_seconds, peak_mib

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_BUSY = """
import time
block = bytes(range(256)) * (64 * 4096)
while time.process_time() < 0.3: pass
print("done", flush=True)
input()
"""


@pytest.fixture
def nested() -> Iterator[subprocess.Popen[bytes]]:
    """Give an idle shell with a busy child of 64 MiB, once that has done its work."""
    command = ["/bin/sh", "-c", '"$0" -c "$1"; exit 0', sys.executable, _BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        yield process
        process.communicate(b"\n")


def test_the_time_of_a_child_counts(nested: subprocess.Popen[bytes]) -> None:
    """The shell itself did nothing; what is seen is not our own either."""
    used = cpu_seconds([nested.pid])

    assert 0.25 <= used < 5.0
    assert used == pytest.approx(cpu_seconds([nested.pid]), abs=0.1)


def test_all_that_the_machine_does_counts(nested: subprocess.Popen[bytes]) -> None:
    """Whoever does it: it is at least what one process has used."""
    assert machine_seconds() >= cpu_seconds([nested.pid])


def test_the_memory_of_a_child_counts(nested: subprocess.Popen[bytes]) -> None:
    """At its peak."""
    assert 64 < peak_mib([nested.pid]) < 200


def test_who_is_gone_costs_nothing() -> None:
    """A peer may end while it is looked at."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:  # our own
        process.wait(10)

    assert peak_mib([process.pid]) == 0.0
    assert cpu_seconds([process.pid]) == 0.0
