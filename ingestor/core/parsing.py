"""Bytes to JSON as Tuner's server reads them, and what no such server survives."""

import json
from collections.abc import Iterator

from ingestor.core.problem import Problem, Step, place

# What JSON has no word for (RFC 8259, section 6) and Python's parser lets pass.
_NOT_A_NUMBER = object()
# A lone surrogate is written as an escape, or in bytes that are not UTF-8.
_MARKS = (b"\\ud", b"\\uD", b"NaN", b"Infinity")
_PLAIN = ("utf-8", "utf-8-sig")


def parse(text: bytes) -> object | Problem:
    """Parse *text* as `json.loads` does: UTF-8, UTF-16 or UTF-32, with or without a mark, the last
    of equal keys.
    """
    try:
        parsed: object = json.loads(
            text, parse_int=_integer, parse_constant=lambda _: _NOT_A_NUMBER
        )
    except json.JSONDecodeError as error:
        return Problem("", f"is not JSON (line {error.lineno}, column {error.colno})")
    except UnicodeDecodeError as error:
        return Problem("", f"is not JSON (byte {error.start} is not {error.encoding})")
    except RecursionError:
        return Problem("", "is nested too deeply")
    return parsed


def may_be_poisoned(text: bytes) -> bool:
    """Whether `poison` could find anything in JSON *text*; to look through all values of a large
    event takes seconds, to look for what they would be written with takes milliseconds.
    """
    if json.detect_encoding(text) not in _PLAIN or any(mark in text for mark in _MARKS):
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return False


def poison(value: object) -> Iterator[Problem]:
    """Yield what would make Tuner's server answer 500: NaN, infinities and lone surrogates,
    wherever they stand.
    """
    # One iterator for each container that is open: the memory grows with the depth, not the size.
    path: list[Step] = []
    levels: list[Iterator[tuple[Step, object]]] = [iter([(0, value)])]
    while levels:
        del path[len(levels) - 1 :]
        item = next(levels[-1], None)
        if item is None:
            levels.pop()
            continue
        step, here = item
        path.append(step)
        if isinstance(step, str) and _is_broken(step):
            yield Problem(place(path[1:]), "the key has a lone surrogate, which is not Unicode")
        if isinstance(here, dict):
            levels.append(iter(here.items()))
        elif isinstance(here, list):
            levels.append(iter(enumerate(here)))
        elif isinstance(here, str):
            if _is_broken(here):
                yield Problem(place(path[1:]), "has a lone surrogate, which is not Unicode")
        elif here is _NOT_A_NUMBER:
            yield Problem(place(path[1:]), "is NaN or Infinity, which is not JSON")


def _integer(digits: str) -> int | float:
    """Read a number that Python may refuse for its length: then as a float, which is infinite."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def to_utf8(text: bytes) -> bytes:
    """Bring JSON *text* into UTF-8 without a mark, for what has to cut or splice it; UnicodeError
    when it is not text.

    UTF-8 without a mark is returned as it is, unread.
    """
    encoding = json.detect_encoding(text)
    return text if encoding == "utf-8" else text.decode(encoding).encode()
