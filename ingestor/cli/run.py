"""`ingestor run`: the service."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from ingestor import app
from ingestor.cli.environment import settings_or_exit
from ingestor.edge.allocator import keep_freed
from ingestor.edge.collector import relax


def run(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with settings; the environment overrides it.")
    ] = None,
) -> None:
    """Carry events from Kafka to Tuner until SIGTERM or SIGINT.

    The first signal drains: what is on its way to Tuner ends, finished offsets are committed, and
    the consumer group is left. A second one ends the process at once. Exit code 0 after a drain,
    1 after a bug, 2 for bad settings.
    """
    settings = settings_or_exit(config)
    keep_freed()
    relax()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(app.run(settings))
    raise typer.Exit(code)
