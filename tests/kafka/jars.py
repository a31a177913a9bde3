"""Fetches the jars of Apache Kafka once, through Maven, into a cache that test runs share.

`python tests/kafka/jars.py` fetches them ahead of a test run and prints where they are.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST_JAVA = 17

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_FETCH_SECONDS = 300
_SAID = 1000  # Maven says the cause first, then a page of advice
# On two cores a start takes 2.4 s with these instead of 3.1, and 3.0 s of CPU instead of 5.3.
_QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
_HEAP = "-Xmx512m"  # in 192 MiB the log cleaner finds no room for its buffer
# What every broker started here is formatted with; it must not begin with a dash.
_CLUSTER_ID = "aW5nZXN0b3ItdGVzdHMtLQ"
_FORMAT = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:1
controller.listener.names=CONTROLLER
listeners=CONTROLLER://127.0.0.1:1,PLAINTEXT://127.0.0.1:2
log.dirs={folder}
"""


class NoKafkaError(Exception):
    """Says why no Kafka can be started here."""


@dataclass(frozen=True, slots=True)
class KafkaFiles:
    """Hold what a broker is started from: Java, the jars, and an empty formatted data folder."""

    version: str
    java: str
    jars: Path
    formatted: Path

    def command(self, main: str, *arguments: str) -> list[str]:
        """Give the command line that runs the Java class *main*."""
        log = f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}"
        classes = f"{self.jars}/*"
        return [self.java, _HEAP, *_QUICK_START, log, "-cp", classes, main, *arguments]


def fetch(environ: Mapping[str, str], *, pom: Path = _POM) -> KafkaFiles:
    """Give the files of the Kafka that *pom* names, fetching them when they are not there yet.

    Safe when several runs begin at once, and after a run that was killed: what is in the cache
    under its final name is complete. Raises NoKafkaError without Java, Maven or an answer of it.
    """
    java, maven = _java(environ), _maven(environ)
    text = pom.read_text()
    found = re.search("<kafka.version>(.+)</kafka.version>", text)
    if found is None:
        raise NoKafkaError(f"{pom} names no Kafka version")
    cache = _cache(environ)
    home = cache / f"kafka-{found[1]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    files = KafkaFiles(found[1], java, home / "jars", home / "formatted")
    with _alone(cache / f"{home.name}.lock"):
        if not home.exists():
            _fill(home, files, maven=[maven, "--batch-mode", "--quiet", "--file", str(pom)])
    return files


def _fill(home: Path, files: KafkaFiles, *, maven: list[str]) -> None:
    for leftover in home.parent.glob(f"{home.name}.*.partial"):
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(
        dir=home.parent, prefix=f"{home.name}.", suffix=".partial"
    ) as name:
        partial = Path(name)
        jars, formatted = partial / files.jars.name, partial / files.formatted.name
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        _run([*maven, *copy, f"-DoutputDirectory={jars}"])
        settings = partial / "format.properties"
        settings.write_text(_FORMAT.format(folder=formatted))
        storage = KafkaFiles(files.version, files.java, jars, formatted)
        format_it = ("format", "-t", _CLUSTER_ID, "-c", str(settings))
        _run(storage.command("kafka.tools.StorageTool", *format_it))
        partial.rename(home)  # at once and last: a folder of that name is complete


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed, also by a kill
        yield


def _cache(environ: Mapping[str, str]) -> Path:
    caches = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "ingestor-tests"


def _java(environ: Mapping[str, str]) -> str:
    java = shutil.which("java", path=environ.get("PATH"))
    if java is None:
        raise NoKafkaError("Java is not installed")
    said = _run([java, "-version"])
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise NoKafkaError(f"Java is older than {OLDEST_JAVA}: {said.splitlines()[0]}")
    return java


def _maven(environ: Mapping[str, str]) -> str:
    maven = shutil.which("mvn", path=environ.get("PATH"))
    if maven is None:
        raise NoKafkaError("Maven is not installed")
    return maven


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # programs found by name, paths of our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoKafkaError(f"{command[0]} took longer than {_FETCH_SECONDS} s") from error
    if done.returncode:
        raise NoKafkaError(f"{command[0]} failed: {done.stdout.strip()[:_SAID]}")
    return done.stdout


if __name__ == "__main__":
    print(fetch(os.environ).jars)  # noqa: T201  # a command's output
