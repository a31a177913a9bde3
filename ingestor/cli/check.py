"""Shows what the settings are and where each comes from, or all that is wrong with them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestor.cli.connect import connect as look_around
from ingestor.cli.environment import printable, settings_or_exit, show_findings
from ingestor.settings import Route, Settings

_ENDLESS = 100_000


def check(
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with the sections kafka, tuner and ingestor; "
            "what the environment says goes before it."
        ),
    ] = None,
    *,
    connect: Annotated[
        bool,
        typer.Option(
            "--connect",
            help="Also ask the brokers for the topics, the group and write access to the "
            "dead-letter topic, and Tuner whether the key is accepted. Nothing is changed there.",
        ),
    ] = False,
) -> None:
    """Check the settings: all that is wrong with them at once, or what they are.

    Prints every value with its source, secrets masked. Exit code 0 when the settings are good, 2
    when they are not, 1 when `--connect` finds that the service could not do its work.
    """
    settings, console = settings_or_exit(config), output()
    show_settings(settings, console)
    if connect:
        look_around(settings, console)


def show_settings(settings: Settings, console: Console) -> None:
    """Print every effective value with its source, secrets masked, then routes and warnings."""
    show_table(console, ("setting", "value", "source"), settings.rows)
    if settings.routes:
        show_table(console, ("credential", "headers", "address"), _credentials(settings))
        header = ("route", "topic", "field", "workspace", "agent", "credential")
        show_table(console, header, _routes(settings))
    show_findings(console, "warning", settings.warnings, style="yellow")
    console.print("settings are good", style="bold green")


def output() -> Console:
    """Give what tables are printed on."""
    console = Console()
    # A pipe or a log has no edge to wrap at: there a row stays one line, which can be searched.
    return console if console.is_terminal else Console(width=_ENDLESS)


def _credentials(settings: Settings) -> list[tuple[str, ...]]:
    return [
        (credential.name, credential.auth, credential.base_url)
        for credential in settings.credentials
    ]


def _routes(settings: Settings) -> list[tuple[str, ...]]:
    return [
        (
            str(number),
            route.topic or "any",
            _field(route),
            str(route.workspace_id or "the event's"),
            route.agent_id or "the event's",
            route.credential,
        )
        for number, route in enumerate(settings.routes, start=1)
    ]


def _field(route: Route) -> str:
    if not route.field:
        return "any"
    values = " or ".join(json.dumps(value, ensure_ascii=False) for value in route.values)
    return f"{'.'.join(route.field)} = {values}"


def show_table(console: Console, header: tuple[str, ...], rows: Iterable[Sequence[str]]) -> None:
    """Print *rows* under their *header*, without anything that a terminal obeys."""
    table = Table(*header)
    for row in rows:
        table.add_row(*(Text(printable(cell, console), overflow="fold") for cell in row))
    console.print(table)
