"""`ingestor demo`: everything at once, on this machine, with nothing but Python."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Annotated, TypeVar, cast

import typer
from rich.console import Console

PLAYED, FAILED, UNUSABLE = 0, 1, 2
EXTRA = "confluent_kafka"
# A shell's way to say that a signal ended it.
BROKEN_OFF = 128

Played = TypeVar("Played")


def demo(
    count: Annotated[int, typer.Option(min=100, max=20_000, help="How many events.")] = 400,
    seed: Annotated[int, typer.Option(help="Which events: the same seed, the same events.")] = 1,
) -> None:
    """Watch the real service carry a few hundred calls, good and bad, and see what became of each.

    It starts an embedded Kafka and a fake Tuner on this machine, publishes events that are good,
    malformed, refused, slow or failing for a while, and runs the service between them. Every figure
    comes from the logs of both sides; they have to agree. Exit code 0 when they do, 1 when not.
    """
    need(EXTRA)
    from ingestor.devkit.broker_library import (  # noqa: PLC0415 - needs the extra
        BrokerRefusedError,
        NoBrokerError,
    )
    from ingestor.devkit.demo import DemoFailedError, play  # noqa: PLC0415 - needs the extra

    try:
        playing = play(Console(), dict(os.environ), count=count, seed=seed)
        story = asyncio.run(_until_broken_off(playing))
    except (DemoFailedError, NoBrokerError, BrokerRefusedError) as error:
        typer.echo(f"the demo failed: {error}", err=True)
        raise typer.Exit(FAILED) from error
    raise typer.Exit(FAILED if story.contradictions else PLAYED)


def need(module: str) -> None:
    """Exit with 2, and say what to install, when *module* is not there."""
    if find_spec(module) is None:
        typer.echo(f"the demo needs {module}: pip install 'ingestor[demo]'", err=True)
        raise typer.Exit(UNUSABLE)


async def _until_broken_off(playing: Coroutine[None, None, Played]) -> Played:
    """Play until the end, or until SIGINT or SIGTERM: no part of the demo may outlive it, and a
    script that starts it in the background has SIGINT ignored.
    """
    loop, heard = asyncio.get_running_loop(), []
    task = cast("asyncio.Task[None]", asyncio.current_task())

    def break_off(number: int) -> None:
        heard.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, break_off, number)
    try:
        return await playing
    except asyncio.CancelledError:
        raise typer.Exit(BROKEN_OFF + heard[0]) from None
