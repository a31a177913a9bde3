"""Cuts a letter that no broker takes as a whole into parts, and joins them again.

What a part holds depends only on the record and on the number of parts: a kill between two of them
has all of them written again, and then any complete set is the letter, whichever of its parts was
written when. The record's own headers are spread over the parts as well, since they may be large;
ours, which say whose letter it is, stand in each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingestor.core.letter import PREFIX, Letter
from ingestor.core.record import Header

PART = PREFIX + "part"
# Lengths and flags that stand around a header.
_AROUND_HEADER = 8
_PART = re.compile(rb"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Source:
    """What identifies a letter: where its record stood, and when it was published, in milliseconds
    since the epoch.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def source(letter: Letter) -> Source | None:
    """Read whose *letter* it is; None when it does not say."""
    said = dict(letter.headers)
    topic = said.get(f"{PREFIX}topic")
    numbers = [_number(said.get(PREFIX + name)) for name in ("partition", "offset", "timestamp")]
    partition, offset, timestamp = numbers
    if topic is None or partition is None or offset is None or timestamp is None:
        return None
    return Source(topic.decode("utf-8", "replace"), partition, offset, timestamp)


def most_parts(letter: Letter) -> int:
    """Count the parts of which each still holds something."""
    return max(1, _size(_own(letter)) + len(letter.value or b""))


def cut(letter: Letter, count: int) -> Iterator[Letter]:
    """Yield the *count* parts of *letter*, of about the same size."""
    own, value = _own(letter), letter.value
    said = tuple(header for header in letter.headers if header[0].startswith(PREFIX))
    before = _size(own)
    whole = before + len(value or b"")
    for number in range(count):
        low, high = whole * number // count, whole * (number + 1) // count
        yield Letter(
            letter.key,
            None if value is None else value[max(0, low - before) : max(0, high - before)],
            (*_between(own, low, high), *said, (PART, b"%d/%d" % (number + 1, count))),
        )


class Joining:
    """Puts parts together: letters go in as they are read, and come out whole.

    Parts may come twice, in any order, between those of other letters and of other cuts of the same
    one. A letter that was joined once does not come out again.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[Source, int], dict[int, Letter]] = {}
        self._joined: set[Source] = set()

    @property
    def incomplete(self) -> set[Source]:
        """Whose letters came only in part."""
        return {whose for whose, _ in self._parts} - self._joined

    def add(self, letter: Letter) -> Letter | None:
        """Take a letter or a part of one; return the whole, None as long as there is none."""
        place, whose = _place(letter), source(letter)
        if place is None or whose is None:
            return letter
        if whose in self._joined:
            return None
        number, count = place
        parts = self._parts.setdefault((whose, count), {})
        parts[number] = letter
        if len(parts) < count:
            return None
        del self._parts[whose, count]
        self._joined.add(whose)
        return _join([parts[number] for number in sorted(parts)])


def _join(parts: list[Letter]) -> Letter:
    first = parts[0]
    said = [it for it in first.headers if it[0].startswith(PREFIX) and it[0] != PART]
    own = [header for part in parts for header in _own(part)]
    value = None if first.value is None else b"".join(part.value or b"" for part in parts)
    return Letter(first.key, value, (*own, *said))


def _place(letter: Letter) -> tuple[int, int] | None:
    """Read which part it is, and of how many; None for what is no part."""
    match = _PART.fullmatch(dict(letter.headers).get(PART) or b"")
    if match is None or int(match[1]) > int(match[2]):
        return None
    return int(match[1]), int(match[2])


def _own(letter: Letter) -> list[Header]:
    return [header for header in letter.headers if not header[0].startswith(PREFIX)]


def _between(headers: list[Header], low: int, high: int) -> Iterator[Header]:
    """Yield the headers that begin in a stretch of the whole."""
    start = 0
    for header in headers:
        if low <= start < high:
            yield header
        start += _size([header])


def _size(headers: list[Header]) -> int:
    return sum(
        len(name.encode("utf-8", "replace")) + len(value or b"") + _AROUND_HEADER
        for name, value in headers
    )


def _number(text: bytes | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
