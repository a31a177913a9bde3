"""Reads the process environment and the TOML file: the only module that does."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import typer
from rich.console import Console
from rich.text import Text

from ingestor.settings import Problem, Problems, Settings, Unreadable, load, read_toml


def read_settings(
    config: Path | None, stand_ins: Mapping[str, str] = MappingProxyType({})
) -> Settings | Problems:
    """Read the settings from the environment, and from the TOML file *config* if there is one.

    A command that can do without some of them passes *stand_ins*, by environment name.
    """
    environ = {**os.environ, **stand_ins}
    if config is None:
        return load(environ)
    toml = read_toml(config)
    if isinstance(toml, Unreadable):
        message = f"{config} cannot be used: {toml.why}; correct it or name another"
        return Problems((Problem("config file", message),))
    return load(environ, toml)


def settings_or_exit(
    config: Path | None, stand_ins: Mapping[str, str] = MappingProxyType({})
) -> Settings:
    """Read the settings; with problems, print them all to standard error and exit with 2."""
    settings = read_settings(config, stand_ins)
    if isinstance(settings, Settings):
        return settings
    console = Console(stderr=True)
    show_findings(console, "problem", settings.problems, style="bold red")
    show_findings(console, "warning", settings.warnings, style="yellow")
    raise typer.Exit(2)


def show_findings(console: Console, kind: str, found: tuple[Problem, ...], *, style: str) -> None:
    """Print one line per problem or warning, never broken: lines are searched and counted."""
    for finding in found:
        line = Text.assemble((kind, style), "  ", printable(str(finding), console))
        console.print(line, soft_wrap=True)


def printable(text: str, console: Console) -> str:
    """Return *text* without anything that a terminal obeys or that *console* cannot encode."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return shown.encode(console.encoding, "backslashreplace").decode(console.encoding)
