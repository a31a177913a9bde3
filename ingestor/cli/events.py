"""Reads events from files: one JSON value, an array of events, or JSON Lines; `-` is standard
input.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

STDIN = "-"
UNREADABLE = 2
_array = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Event:
    """One event's bytes, and where they stand: `calls.jsonl:3`, or `calls.json[2]` in an array."""

    place: str
    value: bytes


def events_or_exit(paths: Sequence[str]) -> list[Event]:
    """Read the events of all *paths*; say which file cannot be read, and exit with 2."""
    events: list[Event] = []
    for path in paths:
        try:
            text = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
        except OSError as error:
            typer.echo(f"{path} cannot be read: {error.strerror}", err=True)
            raise typer.Exit(UNREADABLE) from error
        events += split(STDIN if path == STDIN else Path(path).name, text)
    return events


def split(name: str, text: bytes) -> Iterator[Event]:
    """Split *text* into events: JSON as a whole is one event or an array of them, else each line is
    one.
    """
    if not _is_json(text):
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield Event(f"{name}:{number}", line.strip())
    elif text.lstrip().startswith(b"["):
        for index, value in enumerate(_array.decode(text)):
            yield Event(f"{name}[{index}]", bytes(value))
    else:
        yield Event(name, text.strip())


def _is_json(text: bytes) -> bool:
    try:
        _any.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
