"""Runs commands in this process, with the settings of a test alone."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import structlog
from typer.testing import CliRunner, Result

from ingestor.cli.app import cli

PREFIXES = ("KAFKA_", "TUNER_", "INGESTOR_")
# With these set, a test machine lets rich believe that it writes to a terminal.
TERMINAL = dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"))


def invoke(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, stdin: bytes | None = None
) -> Result:
    """Run `ingestor` with *arguments*: what the machine sets for other tests is taken away, and the
    logging of this process is as it was afterwards.
    """
    taken_away = {name: None for name in os.environ if name.startswith(PREFIXES)}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        return CliRunner().invoke(
            cli,
            [str(argument) for argument in arguments],
            env=taken_away | TERMINAL | dict(environ or {}),
            input=stdin,
        )
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def lines(text: str) -> list[str]:
    """Give the lines of an output, each without what only aligns it."""
    return [" ".join(line.split()) for line in text.splitlines()]
