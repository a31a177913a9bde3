"""Knows how each peer is started: the service as its image has it, that is compiled, and as it is
without a compiler; the others as documented.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench import building
from bench.works import BENTO, GATHER, INTERPRETED, PARALLEL, SERVICE, WRK, Work


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
    ours, reason = service()
    ready: dict[str, Starter] = {SERVICE: ours, INTERPRETED: interpreted, GATHER: gather}
    missing = {f"{SERVICE}, compiled": reason} if reason else {}
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


def service() -> tuple[Starter, str | None]:
    """Build the service, compiled; where that cannot be done it is the source, and why."""
    try:
        home = building.service()
    except building.NotHereError as error:
        return interpreted, str(error)
    return lambda work, place: _service(work, place, home), None


def interpreted(work: Work, place: Place) -> Start:
    """Start the service from its source."""
    return _service(work, place, Path(__file__).parents[2])


def _service(work: Work, place: Place, home: Path) -> Start:
    """Start the service at *home* as its README says: nothing is set but what it requires, and the
    slots.
    """
    environ = {
        "PYTHONPATH": str(home),
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
    # -P: else the folder that this one stands in would come first.
    return Start([sys.executable, "-P", "-m", "ingestor", "run"], environ | dict(work.settings))


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
