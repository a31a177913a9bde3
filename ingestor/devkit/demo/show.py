"""Prints the demo: what is about to happen, what became of every event, and what to do next."""

from collections.abc import Iterator, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ingestor.devkit.demo.service import Totals
from ingestor.devkit.demo.story import Story
from ingestor.devkit.sample_calls import Label

OUTCOMES = ("delivered", "duplicate", "dead", "ignored")
WHY = {
    Label.GOOD: "posted byte for byte",
    Label.STRUCTURED: "its data was posted",
    Label.BINARY: "its attributes were headers",
    Label.FRAMED: "the frame was stripped",
    Label.SLOW: "the others overtook it",
    Label.FLAKY: "502, then stored unseen, then 409",
    Label.DUPLICATE: "409: Tuner knew the call_id",
    Label.TOMBSTONE: "nothing to deliver",
    Label.OTHER_TYPE: "not in INGESTOR_EVENT_TYPES",
    Label.MALFORMED: "not JSON: never posted",
    Label.INVALID: "sure to be refused: never posted",
    Label.NO_ROUTE: "no usable workspace: never posted",
    Label.REFUSED: "Tuner answered 422",
}

AGREED = "Kafka's and Tuner's own records agree: nothing lost, no call stored twice."
NEXT = """\
[bold]What to do next[/bold]
  ingestor schema                   what an event looks like
  ingestor validate calls.jsonl     what would become of yours
  ingestor fake-tuner --port 8081   a Tuner to practise on, with faults on demand
  ingestor check --connect          your settings, your brokers, your key
  ingestor run                      the service: five environment variables
"""


def show_plan(console: Console, servers: str, url: str, count: int) -> None:
    """Say what is about to happen."""
    console.print("[bold]ingestor demo[/bold]: the real service, on this machine only")
    console.print(f"  embedded Kafka at {servers}, fake Tuner at {url}")
    console.print(
        f"  {count} events: most are good, some slow, malformed, refused or published twice;\n"
        "  after two seconds Tuner is out of order for two more\n"
    )


def show_story(console: Console, story: Story, totals: Totals) -> None:
    """Show what became of every event, from the logs of both sides."""
    table = Table(title="What became of every event", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("events", "number", "became", "why"):
        table.add_column(heading, justify="right" if heading == "number" else "left")
    for row in story.rows:
        fates = ", ".join(row.fates if len(row.fates) == 1 else _counted(row.fates))
        table.add_row(row.label, str(row.count), fates, WHY[row.label])
    console.print(table)
    said = ", ".join(f"{totals.count(ended)} {ended}" for ended in OUTCOMES)
    console.print(f"The service says: {said}; {totals.attempts} requests.", soft_wrap=True)
    if not story.contradictions:
        console.print(f"[green]{AGREED}[/green]\n")
        console.print(NEXT, soft_wrap=True)
        return
    console.print(
        "[bold red]They do not agree with the broker's and Tuner's own records:[/bold red]"
    )
    for contradiction in story.contradictions:
        console.print(f"  {contradiction}")


def _counted(fates: Mapping[str, int]) -> Iterator[str]:
    return (f"{count} {fate}" for fate, count in fates.items())
