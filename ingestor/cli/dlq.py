"""`ingestor dlq`: looks at the dead letters, and changes nothing."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ingestor import assembly
from ingestor.cli.check import output, show_table
from ingestor.cli.environment import printable
from ingestor.cli.partial import settings_without
from ingestor.core.letter import PREFIX
from ingestor.core.outcome import Reason
from ingestor.core.parts import source
from ingestor.core.shelf import Found, Shelf, Wanted, said
from ingestor.edge.kafka_letter_reader import NotReadError, read_letters

NOTHING, UNUSABLE = 1, 2
_WIDTH = 14

dlq = typer.Typer(
    name="dlq", help="Look at the dead letters; nothing is changed.", no_args_is_help=True
)

OfReason = Annotated[Reason | None, typer.Option("--reason", help="Only letters of this reason.")]
OfCall = Annotated[str | None, typer.Option("--call-id", help="Only letters of this call.")]
Topic = Annotated[str | None, typer.Option(help="The topic; KAFKA_DEAD_LETTER_TOPIC if not given.")]
Config = Annotated[
    Path | None, typer.Option(help="A TOML file with settings; the environment overrides it.")
]


@dlq.command("list")
def list_letters(
    reason: OfReason = None, call_id: OfCall = None, topic: Topic = None, config: Config = None
) -> None:
    """List the dead letters: whose they are, why they died, and what is wrong.

    A letter that was written twice is listed once. Exit code 0, also when there is none; 1 when
    the topic cannot be read; 2 for bad settings.
    """
    shelf = Shelf(Wanted(reason, call_id))
    _fill(shelf, topic, config)
    if len(shelf):
        show_table(
            output(),
            ("letter", "published", "reason", "status", "call", "message"),
            [_row(found) for found in shelf],
        )
    typer.echo(_count(shelf))


@dlq.command()
def show(
    place: Annotated[
        str | None, typer.Argument(help="Whose letter: topic/partition/offset, as listed.")
    ] = None,
    reason: OfReason = None,
    call_id: OfCall = None,
    *,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Write the event of the one letter found, byte for byte."),
    ] = False,
    topic: Topic = None,
    config: Config = None,
) -> None:
    """Show all that letters say; of the event itself nothing, unless `--raw` asks for it.

    Name a letter, a reason or a call. Exit code 0; 1 when there is no such letter, more than one
    for `--raw`, or the topic cannot be read; 2 for bad settings or usage.
    """
    if place is None and reason is None and call_id is None:
        typer.echo("name a letter (topic/partition/offset), a --reason or a --call-id", err=True)
        raise typer.Exit(UNUSABLE)
    shelf = Shelf(Wanted(reason, call_id, place), keeps_values=raw)
    _fill(shelf, topic, config)
    if not len(shelf) or (raw and len(shelf) > 1):
        hint = "; name one of them" if len(shelf) else ""
        typer.echo(f"{_count(shelf)}{hint}", err=True)
        raise typer.Exit(NOTHING)
    if raw:
        for found in shelf:
            sys.stdout.buffer.write(found.letter.value or b"")
        sys.stdout.buffer.flush()
        return
    console = Console(soft_wrap=True, highlight=False)
    for found in shelf:
        _show(found, console)


def _fill(shelf: Shelf, topic: str | None, config: Path | None) -> None:
    settings, _ = settings_without(config, "TUNER_API_KEY", "TUNER_WORKSPACE_ID", "TUNER_AGENT_ID")
    connection = assembly.connection(settings)
    name = topic or settings.kafka.dead_letter_topic

    async def read() -> None:
        async with aclosing(read_letters(connection, name)) as letters:
            async for letter in letters:
                shelf.put(letter)

    try:
        asyncio.run(read())
    except NotReadError as error:
        typer.echo(f"{name} cannot be read: {error}", err=True)
        raise typer.Exit(NOTHING) from error


def _count(shelf: Shelf) -> str:
    parts = f", and {shelf.incomplete} of which parts are missing" if shelf.incomplete else ""
    return f"{len(shelf)} {'letter' if len(shelf) == 1 else 'letters'}{parts}"


def _row(found: Found) -> tuple[str, ...]:
    says, whose = said(found.letter), source(found.letter)
    return (
        "unknown" if whose is None else str(whose),
        "" if whose is None else _instant(whose.timestamp),
        *(says.get(name, "") for name in ("reason", "status", "call-id", "message")),
    )


def _instant(timestamp: int) -> str:
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return str(timestamp)


def _show(found: Found, console: Console) -> None:
    for name, text in _lines(found):
        console.print(Text(f"{name:{_WIDTH}}", "bold"), Text(printable(text, console)))
    console.print()


def _lines(found: Found) -> Iterator[tuple[str, str]]:
    """Give what is shown: our words in full, of the event's own only names and sizes."""
    letter = found.letter
    yield "letter", str(source(letter) or "unknown")
    yield from said(letter).items()
    yield "key", _size(None if letter.key is None else len(letter.key))
    for name, value in letter.headers:
        if not name.startswith(PREFIX):
            yield "header", f"{name}: {_size(None if value is None else len(value))}"
    yield "value", _size(found.bytes)


def _size(count: int | None) -> str:
    return "none" if count is None else f"{count:,} bytes"
