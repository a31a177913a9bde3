"""Runs a process that ends with the block, and with this process however that ends."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from brokers import guard
from system.processes import clean_environment


@contextmanager
def owned(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    stderr: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* with *environ* on top of ours, of which no settings are kept; kill it at the
    end.
    """
    process = subprocess.Popen(  # noqa: S603  # commands of our own
        command,
        env=clean_environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    keeper = guard(process.pid)
    try:
        yield process
    finally:
        for child in (keeper, process):  # the keeper first: it must not hit a later pid
            child.kill()
            child.communicate()
