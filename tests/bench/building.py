"""Builds the programs that a race needs into a cache outside the tree, once for each source."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zipfile import ZipFile

_FOREIGN = Path(__file__).parent / "foreign"
_OURS = Path(__file__).parents[2]
_OUR_SOURCES = ("pyproject.toml", "README.md", "ingestor")
# What the image is built with: see `pyproject.toml`.
COMPILED = {"HATCH_BUILD_HOOK_ENABLE_MYPYC": "true"}
_BENTO = "github.com/warpstreamlabs/bento@v1.20.0"
_BUILD_SECONDS = 1500
_SAID = 600


class NotHereError(Exception):
    """Says why a program cannot be built or found here."""


def service() -> Path:
    """Give a folder with the service as its image has it, compiled. NotHereError without a C
    compiler.
    """

    def build(source: Path, target: Path) -> None:
        _tool("cc")
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "."]
        _run([*pip, "--wheel-dir", str(source / "dist")], source, COMPILED)
        (wheel,) = (source / "dist").iterdir()
        with ZipFile(wheel) as packed:
            packed.extractall(target)

    tag = f"service-{sys.implementation.cache_tag}"
    return _built(tag, [_OURS / name for name in _OUR_SOURCES], build)


def sink() -> Path:
    """Give the sink, built with Go. NotHereError without it."""

    def build(source: Path, target: Path) -> None:
        _run([_tool("go"), "build", "-o", str(target / "sink"), "."], source)

    return _built("sink", _foreign("sink"), build) / "sink"


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

    return _built("bento", _foreign("bento"), build)


def parallel_consumer() -> Path:
    """Give the folder of jars of Confluent's Parallel Consumer and a main class around it, built
    with Maven. NotHereError without Java or Maven.
    """

    def build(source: Path, target: Path) -> None:
        _tool("java")
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
        _run([_tool("mvn"), "--batch-mode", "--quiet", "package", *copy], source)
        shutil.copy(source / "target" / "peer-1.jar", target)

    return _built("parallel_consumer", _foreign("parallel_consumer"), build)


def wrk() -> str:
    """Give the path of wrk. NotHereError without it."""
    return _tool("wrk")


def cache(environ: Mapping[str, str]) -> Path:
    """Give the folder that what was built is kept in."""
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ingestor-bench"


def _foreign(name: str) -> Iterable[Path]:
    return (_FOREIGN / name).iterdir()


def _built(name: str, sources: Iterable[Path], build: Callable[[Path, Path], None]) -> Path:
    """Build *name* of files and folders unless these very *sources* were built before; what has
    its final name is complete.
    """
    sources = sorted(sources)
    home = cache(os.environ) / f"{name}-{_digest(sources)}"
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{name}.") as folder:
        copied, target = Path(folder) / "source", Path(folder) / "target"
        copied.mkdir()
        for source in sources:
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, copied / source.name)
        target.mkdir()
        build(copied, target)
        target.rename(home)
    return home


def _digest(sources: Iterable[Path]) -> str:
    found = (path for source in sources for path in (source, *source.rglob("*")))
    files = sorted(path for path in found if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NotHereError(f"{name} is not installed")
    return path


def _run(command: list[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603  # programs found by name, arguments of our own
        command,
        cwd=folder,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotHereError(f"{Path(command[0]).name} failed: {done.stdout.strip()[-_SAID:]}")
