"""`ingestor demo`: everything at once, on this machine, with nothing but Python."""

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console

FAILED = 1
UNUSABLE = 2


def demo(
    count: Annotated[int, typer.Option(min=100, max=20_000, help="How many events.")] = 400,
    seed: Annotated[int, typer.Option(help="Which events: the same seed, the same events.")] = 1,
) -> None:
    """Watch the real service carry a few hundred calls, good and bad, and see what became of each.

    It starts an embedded Kafka and a fake Tuner on this machine, publishes events that are good,
    malformed, refused, slow or failing for a while, and runs the service between them. Every figure
    comes from the logs of both sides; they have to agree. Exit code 0 when they do, 1 when not.
    """
    try:
        from ingestor.devkit.demo import DemoFailedError, play  # noqa: PLC0415 - needs an extra
    except ModuleNotFoundError as error:
        typer.echo(f"the demo needs {error.name}: pip install 'ingestor[demo]'", err=True)
        raise typer.Exit(UNUSABLE) from error
    try:
        story = asyncio.run(play(Console(), dict(os.environ), count=count, seed=seed))
    except DemoFailedError as error:
        typer.echo(f"the demo failed: {error}", err=True)
        raise typer.Exit(FAILED) from error
    if story.contradictions:
        raise typer.Exit(FAILED)
