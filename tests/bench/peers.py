"""Knows how each peer is started: the service as it is deployed, the others as documented."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench import building
from bench.works import BENTO, GATHER, PARALLEL, SERVICE, WRK, Work


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer reads and posts: a *topic* of the *kafka* with a *group* of its own, and the
    sink at *url*, to be trusted by *ca_file* where it speaks TLS.
    """

    kafka: str
    topic: str
    group: str
    url: str
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class Start:
    """A command line, and the environment that it needs."""

    command: list[str]
    environ: Mapping[str, str]


Starter: TypeAlias = Callable[[Work, Place], Start]


def starters() -> tuple[dict[str, Starter], dict[str, str]]:
    """Build what must be built; return how each peer is started, and why the others are not
    here, wrk among them.
    """
    ready: dict[str, Starter] = {SERVICE: service, GATHER: gather}
    missing: dict[str, str] = {}
    for name, make in ((BENTO, _bento), (PARALLEL, _parallel_consumer)):
        try:
            ready[name] = make()
        except building.NotHereError as error:
            missing[name] = str(error)
    try:
        building.wrk()
    except building.NotHereError as error:
        missing[WRK] = str(error)
    return ready, missing


def service(work: Work, place: Place) -> Start:
    """Start the service as its README says: nothing is set but what it requires, and the slots."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": place.kafka,
        "KAFKA_TOPICS": place.topic,
        "KAFKA_GROUP_ID": place.group,
        "TUNER_API_KEY": "k",
        "TUNER_WORKSPACE_ID": "1",
        "TUNER_AGENT_ID": "front-desk",
        "TUNER_BASE_URL": place.url,
        "INGESTOR_MAX_CONCURRENCY": str(work.slots),
        "INGESTOR_OPS_HOST": "127.0.0.1",
        "INGESTOR_OPS_PORT": "0",
        "INGESTOR_LOG_FORMAT": "json",
    }
    if place.ca_file:
        environ["TUNER_CA_FILE"] = str(place.ca_file)
    return Start([sys.executable, "-m", "ingestor", "run"], environ | dict(work.settings))


def gather(work: Work, place: Place) -> Start:
    """Start what most people write."""
    return Start([sys.executable, str(Path(__file__).with_name("gather.py"))], _told(work, place))


def _bento() -> Starter:
    home = building.bento()
    command = [str(home / "bento"), "-c", str(home / "bento.yaml")]
    return lambda work, place: Start(command, _told(work, place))


def _parallel_consumer() -> Starter:
    jars = building.parallel_consumer()
    command = ["java", "-Xmx1g", "-cp", f"{jars}/*", "Main"]
    return lambda work, place: Start(command, _told(work, place))


def _told(work: Work, place: Place) -> dict[str, str]:
    return {
        "KAFKA": place.kafka,
        "TOPIC": place.topic,
        "GROUP": place.group,
        "URL": f"{place.url}/api/v1/public/call",
        "SLOTS": str(work.slots),
        "TLS": "true" if place.ca_file else "false",
        "CA_FILE": str(place.ca_file or ""),
    }
