"""The commands, put together."""

import logging
from typing import Annotated

import typer

from ingestor import __version__
from ingestor.cli.check import check
from ingestor.cli.demo import demo
from ingestor.cli.dlq import dlq
from ingestor.cli.fake_tuner import fake_tuner
from ingestor.cli.publish import publish
from ingestor.cli.run import run
from ingestor.cli.schema import schema
from ingestor.cli.validate import validate

cli = typer.Typer(
    name="ingestor",
    help="Carries call-ended events from a Kafka topic to Tuner.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
)


def _version(value: bool) -> None:  # noqa: FBT001 - the shape of a typer callback
    if value:
        typer.echo(f"ingestor {__version__}")
        raise typer.Exit


@cli.callback()
def _common(
    *,
    version: Annotated[  # noqa: ARG001 - its callback has dealt with it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    # Each command says in a sentence what went wrong; its libraries need not say it as well. The
    # service sets up a log of its own.
    logging.getLogger().addHandler(logging.NullHandler())


for command in (run, check, validate, publish, schema, fake_tuner, demo):
    cli.command()(command)
cli.add_typer(dlq)


def main() -> None:
    """Run the command line."""
    cli()
