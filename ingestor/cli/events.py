"""Reads events from files: one JSON value, an array of events, or JSON Lines; `-` is standard
input.
"""

import codecs
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

STDIN = "-"
UNREADABLE = 2
_OPENINGS = (b"{", b"[")
# A schema registry's frame, and text in UTF-16: a byte that ends a line need not do so there.
_WHOLE = (b"\0", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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
    text = text.removeprefix(codecs.BOM_UTF8)  # the file's, not an event's
    if text.startswith(_WHOLE):
        yield Event(name, text)
    elif not _is_json(text):
        yield from _lines(name, text)
    elif text.lstrip().startswith(b"["):
        for index, value in enumerate(_array.decode(text)):
            yield Event(f"{name}[{index}]", bytes(value))
    else:
        yield Event(name, text.strip())


def _lines(name: str, text: bytes) -> Iterator[Event]:
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in numbered if line]
    # One event that was written over several lines, and is broken, is not as many events.
    if text.lstrip().startswith(_OPENINGS) and not any(_is_object(line) for _, line in lines):
        yield Event(name, text.strip())
        return
    for number, line in lines:
        yield Event(f"{name}:{number}", line)


def _is_object(line: bytes) -> bool:
    return line.startswith(b"{") and _is_json(line)


def _is_json(text: bytes) -> bool:
    try:
        _any.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
