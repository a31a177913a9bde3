"""`ingestor publish`: puts events on the topic."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingestor import assembly
from ingestor.cli.events import Event, events_or_exit
from ingestor.cli.partial import settings_without
from ingestor.edge import kafka_publisher

FAILED = 1


class _Keyed(msgspec.Struct):
    call_id: str


class _Enveloped(msgspec.Struct):
    data: _Keyed


_bare = msgspec.json.Decoder(_Keyed)
_enveloped = msgspec.json.Decoder(_Enveloped)


def publish(
    files: Annotated[
        list[str],
        typer.Argument(help="Files of events: JSON, an array, or JSON Lines; - for stdin."),
    ],
    topic: Annotated[
        str | None, typer.Option(help="The topic; the first of KAFKA_TOPICS if not given.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with settings; the environment overrides it.")
    ] = None,
) -> None:
    """Put events on the topic, byte for byte, with their call_id as the key.

    They are not validated: see `ingestor validate`. Exit code 0 when a broker acknowledged every
    event, 1 when it did not, 2 for bad settings or a file that cannot be read.
    """
    settings, _ = settings_without(config, "TUNER_API_KEY", "TUNER_WORKSPACE_ID", "TUNER_AGENT_ID")
    target = topic or settings.kafka.topics[0]
    events = events_or_exit(files)
    with _progress(len(events)) as advance:
        publication = asyncio.run(
            kafka_publisher.publish(
                assembly.connection(settings),
                target,
                ((key(event), event.value) for event in events),
                advance,
            )
        )
    said = f"{publication.count} of {len(events)} events on {target}"
    if publication.cause is None:
        typer.echo(said)
        return
    typer.echo(f"{said}; then: {publication.cause}", err=True)
    raise typer.Exit(FAILED)


def key(event: Event) -> bytes | None:
    """Find the call_id of *event*, bare or in an envelope: it keeps the events of one call in one
    partition, in order.
    """
    for decoder in (_bare, _enveloped):
        try:
            found = decoder.decode(event.value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        return (found.call_id if isinstance(found, _Keyed) else found.data.call_id).encode()
    return None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, when that is a terminal."""
    columns = (TextColumn("publishing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("publishing", total=total)
        yield lambda count: progress.advance(task, count)
