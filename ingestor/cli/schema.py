"""`ingestor schema`: what an event looks like."""

import json
from typing import Annotated

import typer

from ingestor.core.schema import schema as event_schema


def schema(
    *,
    placeholder: Annotated[
        bool,
        typer.Option(
            help="Do not require recording_url, because INGESTOR_RECORDING_URL supplies one."
        ),
    ] = False,
) -> None:
    """Print the JSON Schema (2020-12) of an event, for those who publish them.

    What it describes is sure to be taken. More is: fields it does not name are passed on, and Tuner
    has the last word on values of a neighbouring type, such as a number in a string.
    """
    typer.echo(json.dumps(event_schema(needs_recording=not placeholder), indent=2))
