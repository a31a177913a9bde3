"""Kafka's files are fetched once and whole, and without them the next best broker is chosen."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kafka.jars import NoKafkaError, fetch
from kafka.plugin import Embedded, Given, Real, choose, describe, obstacle

TESTS = Path(__file__).parents[1]


def program(folder: Path, name: str, script: str) -> None:
    """Put the program *name* into *folder*."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


JAVA = """\
[ "$1" = -version ] && { echo 'openjdk version "21.0.1" 2023-10-17' >&2; exit; }
settings=$(eval echo "\\${$#}")
mkdir "$(sed -n 's/^log.dirs=//p' "$settings")"
"""
MAVEN = """\
echo "$@" >>"$0.log"
sleep 0.2
for word; do
  case $word in -DoutputDirectory=*) mkdir "${word#*=}"; : >"${word#*=}/kafka.jar";; esac
done
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with a Java and a Maven that are quick and need no network."""
    programs = tmp_path / "bin"
    program(programs, "java", JAVA)
    program(programs, "mvn", MAVEN)
    return {"PATH": f"{programs}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_two_runs_at_once_fetch_kafka_once(machine: dict[str, str], tmp_path: Path) -> None:
    """The second waits for the first, and both get all of it."""
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(fetch, [machine, machine])

    assert first == second
    assert (first.jars / "kafka.jar").exists()
    assert first.formatted.is_dir()
    assert len((tmp_path / "bin" / "mvn.log").read_text().splitlines()) == 1


def test_an_interrupted_fetch_is_done_again(machine: dict[str, str], tmp_path: Path) -> None:
    """What a killed run left behind is not taken for a Kafka, and does not stay."""
    program(tmp_path / "bin", "mvn", MAVEN + "kill -KILL $PPID\n")
    script = "import os; from kafka.jars import fetch; fetch(os.environ)"
    env = machine | {"PYTHONPATH": str(TESTS)}
    killed = subprocess.run([sys.executable, "-c", script], env=env, check=False)  # noqa: S603  # ours
    cache = tmp_path / "cache" / "ingestor-tests"
    assert killed.returncode == -signal.SIGKILL
    assert len(list(cache.glob("*.partial"))) == 1

    program(tmp_path / "bin", "mvn", MAVEN)
    files = fetch(machine)

    assert (files.jars / "kafka.jar").exists()
    assert list(cache.glob("*.partial")) == []


def test_another_pom_is_another_kafka(machine: dict[str, str], tmp_path: Path) -> None:
    """Nobody tests against the jars of yesterday's versions."""
    pom = tmp_path / "pom.xml"
    pom.write_text("<kafka.version>9.9.9</kafka.version>")
    one = fetch(machine, pom=pom)
    pom.write_text("<kafka.version>9.9.9</kafka.version><!-- log4j is newer -->")
    other = fetch(machine, pom=pom)

    assert one.version == other.version == "9.9.9"
    assert one.jars != other.jars
    pom.write_text("<project/>")
    with pytest.raises(NoKafkaError, match="names no Kafka version"):
        fetch(machine, pom=pom)


def test_the_broker_that_was_named_is_used() -> None:
    """A Kafka in the environment goes before one of our own, and is not ours to kill."""
    choice = choose({"KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092", "PATH": os.defpath})

    assert choice == Given("kafka.example:9092")
    assert "kafka.example:9092" in describe(choice)
    assert "not tested" in describe(choice)
    assert "may kill" in str(obstacle(choice))


def test_a_kafka_of_our_own_comes_next(machine: dict[str, str]) -> None:
    """With Java and Maven everything is tested."""
    choice = choose(machine)

    assert isinstance(choice, Real)
    assert describe(choice) == "Apache Kafka 4.1.1, started by the tests"
    assert obstacle(choice) is None


@pytest.mark.parametrize(
    ("name", "script", "missing"),
    [
        ("java", None, "Java is not installed"),
        ("java", "echo 'openjdk version \"11.0.2\"'", "Java is older than 17"),
        ("mvn", None, "Maven is not installed"),
        ("mvn", "echo no route to host; exit 1", "no route to host"),
    ],
)
def test_the_embedded_broker_comes_last(
    machine: dict[str, str], tmp_path: Path, name: str, script: str | None, missing: str
) -> None:
    """What is missing is said, and so is what then goes untested."""
    (tmp_path / "bin" / name).unlink()
    if script is not None:
        program(tmp_path / "bin", name, script)

    choice = choose(machine | {"PATH": str(tmp_path / "bin")})

    assert isinstance(choice, Embedded)
    assert missing in choice.missing
    assert "not tested: a broker that crashes or restarts" in describe(choice)
    assert missing in str(obstacle(choice))
