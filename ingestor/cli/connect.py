"""Asks the surroundings for what the service will need of them, and changes nothing there."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import typer
from rich.console import Console
from rich.text import Text

from ingestor import assembly
from ingestor.core.finding import EMPTY_CALL, Finding, read_key_probe
from ingestor.core.route import Destination, Route
from ingestor.edge.kafka_probe import probe_kafka
from ingestor.edge.tuners import open_tuner
from ingestor.settings import Settings

NOT_READY = 1
# Stands for an id that only events name.
ANY_WORKSPACE, ANY_AGENT = "1", "any"


def connect(settings: Settings, console: Console) -> None:
    """Print what was found; exit with 1 when the service could not do its work."""
    if not asyncio.run(_connect(settings, console)):
        raise typer.Exit(NOT_READY)


async def _connect(settings: Settings, console: Console) -> bool:
    is_good = True
    async for finding in _findings(settings):
        is_good = is_good and finding.is_good
        mark = Text("good   ", "green") if finding.is_good else Text("not yet", "bold red")
        console.print(mark, Text(f"{finding.what}: {finding.how}"), soft_wrap=True)
    return is_good


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    given = settings.kafka
    async for finding in probe_kafka(
        assembly.connection(settings),
        topics=given.topics,
        group_id=given.group_id,
        dead_letter_topic=given.dead_letter_topic,
    ):
        yield finding
    async with open_tuner(assembly.wire(settings), assembly.headers(settings)) as tuner:
        for route in routes(settings):
            name = (
                f"Tuner at {route.destination.base_url}, credential {route.destination.credential}"
            )
            what = f"{name}, workspace {route.workspace}"
            yield read_key_probe(what, await tuner.post(EMPTY_CALL, route))


def routes(settings: Settings) -> Iterator[Route]:
    """List every pair of a credential and a workspace that the settings name, once."""
    destinations = {
        credential.name: Destination(credential.base_url, credential.name)
        for credential in settings.credentials
    }
    own = (assembly.DEFAULT, settings.tuner.workspace_id, settings.tuner.agent_id)
    named = [(route.credential, route.workspace_id, route.agent_id) for route in settings.routes]
    seen = set()
    for credential, workspace, agent in (own, *named):
        if credential in destinations and (credential, workspace) not in seen:
            seen.add((credential, workspace))
            ids = (str(workspace or ANY_WORKSPACE), agent or ANY_AGENT)
            yield Route(destinations[credential], *ids)
