"""Chooses the broker of a test run, says which it was, and hands it to the tests.

The uppermost conftest loads it. Fixtures: `kafka`, `real_kafka`, `cluster`, `topic`. Tests marked
`system` need a Kafka that they may kill: without one they are skipped, and fail where `CI` is
`true`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, assert_never

import pytest
from brokers import Broker, EmbeddedKafka, GivenKafka, RealKafka
from kafka.cluster import Cluster, Topic
from kafka.jars import KafkaFiles, NoKafkaError, fetch

from ingestor.devkit.embedded_broker import EmbeddedBroker


@dataclass(frozen=True, slots=True)
class Real:
    """Start a Kafka from these *files*."""

    files: KafkaFiles


@dataclass(frozen=True, slots=True)
class Given:
    """Use the Kafka at *address*."""

    address: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """Use the embedded broker, because something is *missing*."""

    missing: str


Choice: TypeAlias = Real | Given | Embedded

_CHOICE = pytest.StashKey[Choice]()
_SAID = pytest.StashKey[str]()


def choose(environ: Mapping[str, str]) -> Choice:
    """Choose the broker: the one named in *environ*, else one of our own, else the embedded."""
    if address := environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return Given(address)
    try:
        return Real(fetch(environ))
    except NoKafkaError as error:
        return Embedded(str(error).partition("\n")[0])


def obstacle(choice: Choice) -> str | None:
    """Say why tests marked `system` cannot run on *choice*; None when they can."""
    match choice:
        case Real():
            return None
        case Given(address):
            return f"needs a Kafka it may kill, and the one at {address} is not ours"
        case Embedded(missing):
            return f"needs a real Kafka, and there is only the embedded broker: {missing}"
        case unknown:
            assert_never(unknown)


def describe(choice: Choice) -> str:
    """Say which broker *choice* is, and what it leaves untested."""
    match choice:
        case Real(files):
            return f"Apache Kafka {files.version}, started by the tests"
        case Given(address):
            return (
                f"the Kafka at {address} (KAFKA_BOOTSTRAP_SERVERS); not tested: "
                "a broker that crashes, restarts or stalls"
            )
        case Embedded(missing):
            return (
                f"the embedded broker ({missing}); not tested: a broker that crashes or restarts, "
                "records on disk, rebalances in real time, settings of topics, CreateTopics, "
                "transactions, checks of sequence numbers and checksums"
            )
        case unknown:
            assert_never(unknown)


@contextmanager
def running(choice: Choice, folder: Path) -> Iterator[Broker]:
    """Have the broker of *choice* run, with its files in *folder*, for as long as the block."""
    match choice:
        case Real(files):
            with RealKafka(folder, files) as real:
                yield real
        case Given(address):
            yield GivenKafka(address)
        case Embedded():
            with EmbeddedBroker() as embedded:
                yield EmbeddedKafka(embedded)
        case unknown:
            assert_never(unknown)


def cluster_of(broker: Broker) -> Cluster:
    """Give what tests need to work on *broker*."""
    if not isinstance(broker, EmbeddedKafka):
        return Cluster(broker.address)
    create = broker.broker.create_topic
    return Cluster(
        broker.address, create=lambda name, partitions: create(name, partitions=partitions)
    )


@pytest.fixture(scope="session")
def kafka(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """Give the broker of this run."""
    with running(_chosen(pytestconfig), tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def real_kafka(kafka: Broker) -> Iterator[RealKafka]:
    """Give the broker of this run to a `system` test, which may kill it; it runs again afterwards.

    Its methods block: call them through `asyncio.to_thread` beside a loop.
    """
    if not isinstance(kafka, RealKafka):
        pytest.fail("only tests marked `system` may ask for real_kafka")
    yield kafka
    if not kafka.is_running:
        kafka.start()


@pytest.fixture(scope="session")
def cluster(kafka: Broker) -> Cluster:
    """Give a client of the broker of this run."""
    return cluster_of(kafka)


@pytest.fixture
def topic(cluster: Cluster) -> Topic:
    """Give a new topic of four partitions; nobody deletes it."""
    return cluster.create_topic()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Choose before the first test's timeout runs: the choice may fetch Kafka."""
    if not session.config.option.collectonly and any(map(_needs_broker, session.items)):
        _chosen(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Keep `system` tests from what is not a Kafka of their own."""
    if item.get_closest_marker("system") and (reason := obstacle(_chosen(item.config))):
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass on which broker it was: a process that shares the tests has no terminal of its own."""
    choice = session.config.stash.get(_CHOICE, None)
    if choice is not None:
        session.config.stash[_SAID] = describe(choice)
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["kafka"] = describe(choice)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take note of what such a process passed on."""
    if said := getattr(node, "workeroutput", {}).get("kafka"):
        node.config.stash[_SAID] = said


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say out loud which broker it was."""
    if said := terminalreporter.config.stash.get(_SAID, None):
        terminalreporter.write_line(f"kafka: {said}")


def _needs_broker(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])  # a doctest has none
    return "kafka" in fixtures or item.get_closest_marker("system") is not None


def _chosen(config: pytest.Config) -> Choice:
    if _CHOICE not in config.stash:
        config.stash[_CHOICE] = choose(os.environ)
    return config.stash[_CHOICE]
