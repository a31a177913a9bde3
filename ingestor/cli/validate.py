"""`ingestor validate`: what would become of events, without a broker and without Tuner."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ingestor import assembly
from ingestor.cli.environment import printable
from ingestor.cli.events import Event, events_or_exit
from ingestor.cli.partial import settings_without
from ingestor.core.advice import advice
from ingestor.core.decoder import Decoder
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.parsing import parse
from ingestor.core.problem import Problem
from ingestor.core.record import Partition, Record
from ingestor.core.routing import Router
from ingestor.edge.requests import create_call_url

WRONG = 1
_COLOURS = {"good": "green", "ignored": "cyan"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one event is, in a word (*kind*: `good`, `ignored` or why it would be a letter) and at
    length.
    """

    place: str
    kind: str
    would: str
    problems: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()


class Examiner:
    """Reads events as the service would."""

    def __init__(self, decoder: Decoder, router: Router, topic: str) -> None:
        self._decoder = decoder
        self._router = router
        self._topic = topic

    def examine(self, event: Event) -> Finding:
        """Decide what would become of *event*."""
        record = Record(Partition(self._topic, 0), 0, 0, None, event.value)
        decoded = self._decoder.decode(record)
        if isinstance(decoded, Ignored):
            return Finding(event.place, "ignored", f"would be ignored ({decoded.reason})")
        if isinstance(decoded, Dead):
            return _dead(event, decoded)
        route = self._router.route(record, decoded)
        if isinstance(route, Dead):
            return _dead(event, route)
        body = parse(decoded.body)
        notes = tuple(advice(body)) if isinstance(body, dict) else ()
        return Finding(
            event.place, "good", f"would be posted to {create_call_url(route)}", advice=notes
        )


def validate(
    files: Annotated[
        list[str],
        typer.Argument(help="Files of events: JSON, an array, or JSON Lines; - for stdin."),
    ],
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with settings; the environment overrides it.")
    ] = None,
) -> None:
    """Say which events are good, what is wrong with the others, and what would be posted where.

    Nothing is sent, and settings that are missing are done without. Values of events are never
    shown. Exit code 0 when every event is good, 1 when one is not, 2 for bad settings or a file
    that cannot be read.
    """
    settings, missing = settings_without(
        config, "KAFKA_BOOTSTRAP_SERVERS", "TUNER_API_KEY", "TUNER_WORKSPACE_ID", "TUNER_AGENT_ID"
    )
    decoder, router = assembly.decoder(settings), assembly.router(settings)
    examiner = Examiner(decoder, router, settings.kafka.topics[0])
    console = Console(soft_wrap=True, highlight=False)
    counts: Counter[str] = Counter()
    for event in events_or_exit(files):
        finding = examiner.examine(event)
        if finding.kind == Reason.NO_ROUTE and missing:
            finding = Finding(event.place, "good", "would be posted, once the settings say where")
        counts[finding.kind] += 1
        _show(finding, console)
    console.print(
        ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no events"
    )
    if counts.keys() - _COLOURS.keys():
        raise typer.Exit(WRONG)


def _dead(event: Event, dead: Dead) -> Finding:
    problems = dead.errors or (Problem("", dead.message),)
    return Finding(event.place, dead.reason, "would become a dead letter", problems)


def _show(finding: Finding, console: Console) -> None:
    colour = _COLOURS.get(finding.kind, "red")
    line = f"{finding.place}  {finding.would}"
    console.print(Text(f"{finding.kind:9}", colour), Text(printable(line, console)))
    for word, listed in (("wrong", finding.problems), ("advice", finding.advice)):
        for problem in listed:
            console.print(Text(f"{'':9} {word}: {printable(str(problem), console)}", "dim"))
