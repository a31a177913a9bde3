"""What the C library does with memory that is freed."""

import ctypes
import subprocess
import sys

import pytest

# Takes thirty megabytes, frees them, and says how many of them the process still has.
FREE = """
import sys
from pathlib import Path
from ingestor.edge.allocator import keep_freed

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

if "keep" in sys.argv:
    assert keep_freed()
before = pages()
for _ in range(3):
    taken = [b"x" * (3 * 2**20) for _ in range(10)]
    del taken
print((pages() - before) * 4096 // 2**20)
"""


def megabytes_kept(*arguments: str) -> int:
    command = [sys.executable, "-c", FREE, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - ours


@pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")),
    reason="it is glibc that is told what to keep",
)
def test_what_is_freed_is_there_for_the_next() -> None:
    """The next answer of a broker finds the memory of the last one; by default it does not."""
    assert megabytes_kept("keep") > 25
    assert megabytes_kept() < 15
