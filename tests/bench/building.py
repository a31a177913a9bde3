"""Builds the programs that a race needs into a cache outside the tree, once for each source."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

_FOREIGN = Path(__file__).parent / "foreign"
_BENTO = "github.com/warpstreamlabs/bento@v1.20.0"
_BUILD_SECONDS = 1500
_SAID = 600


class NotHereError(Exception):
    """Says why a program cannot be built or found here."""


def sink() -> Path:
    """Give the sink, built with Go. NotHereError without it."""

    def build(source: Path, target: Path) -> None:
        _run([_tool("go"), "build", "-o", str(target / "sink"), "."], source)

    return _built("sink", build) / "sink"


def bento() -> Path:
    """Give Bento, built with Go from the module of its release. NotHereError without Go, or when
    that cannot be had.
    """

    def build(source: Path, target: Path) -> None:
        go = _tool("go")
        _run([go, "mod", "init", "peer"], source)
        _run([go, "get", _BENTO], source)
        _run([go, "mod", "tidy"], source)
        _run([go, "build", "-o", str(target / "bento"), "."], source)
        shutil.copy(source / "bento.yaml", target)

    return _built("bento", build)


def parallel_consumer() -> Path:
    """Give the folder of jars of Confluent's Parallel Consumer and a main class around it, built
    with Maven. NotHereError without Java or Maven.
    """

    def build(source: Path, target: Path) -> None:
        _tool("java")
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
        _run([_tool("mvn"), "--batch-mode", "--quiet", "package", *copy], source)
        shutil.copy(source / "target" / "peer-1.jar", target)

    return _built("parallel_consumer", build)


def wrk() -> str:
    """Give the path of wrk. NotHereError without it."""
    return _tool("wrk")


def cache(environ: Mapping[str, str]) -> Path:
    """Give the folder that what was built is kept in."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ingestor-bench"


def _built(name: str, build: Callable[[Path, Path], None]) -> Path:
    """Build *name* unless these very sources were built before; what has its final name is
    complete.
    """
    source = _FOREIGN / name
    files = sorted(path for path in source.rglob("*") if path.is_file())
    content = b"".join(path.read_bytes() for path in files)
    home = cache(os.environ) / f"{name}-{hashlib.sha256(content).hexdigest()[:8]}"
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{name}.") as folder:
        copied, target = Path(folder) / "source", Path(folder) / "target"
        shutil.copytree(source, copied)
        target.mkdir()
        build(copied, target)
        target.rename(home)
    return home


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NotHereError(f"{name} is not installed")
    return path


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603  # programs found by name, arguments of our own
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotHereError(f"{Path(command[0]).name} failed: {done.stdout.strip()[-_SAID:]}")
