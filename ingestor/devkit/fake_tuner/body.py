"""Reads a request's body as a stock FastAPI server does: what `json.loads` takes, nothing less.

That is more than JSON: NaN and infinities, a byte order mark, UTF-16 and UTF-32, lone surrogates,
and of repeated keys the last one.
"""

import json
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold what the body says: JSON, or the bytes as they came where it does not claim to be."""

    value: object


@dataclass(frozen=True, slots=True)
class Absent:
    """Say that there was no body."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Say that the text is not JSON, and where (in characters)."""

    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Say that the bytes are no text (gzip, for one), or nest deeper than a parser goes."""


Body = Parsed | Absent | Broken | Unreadable


def read_body(raw: bytes, content_type: str | None, *, any_content_type: bool = False) -> Body:
    """Read *raw* as *content_type* says, or as JSON whatever it says with *any_content_type*."""
    if not raw:
        return Absent()
    if not any_content_type and not is_json(content_type):
        return Parsed(raw)
    try:
        return Parsed(json.loads(raw))
    except json.JSONDecodeError as error:
        return Broken(error.pos, error.msg)
    except (ValueError, RecursionError):
        return Unreadable()


@lru_cache(maxsize=64)
def is_json(content_type: str | None) -> bool:
    """Tell whether *content_type* is application/json or one of its `+json` kin."""
    if not content_type:
        return False
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )
