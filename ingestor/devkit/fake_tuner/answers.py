"""The answers a FastAPI server gives, as bytes ready to send."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one answer, whole: what of it reaches the client is for the wire to decide."""

    status: int
    body: bytes = b""
    content_type: str | None = JSON
    headers: tuple[tuple[str, str], ...] = ()


# What a FastAPI server says when it fails, for one while it writes its own 422.
FAILED = Answer(500, b"Internal Server Error", TEXT)


def phrase(status: int) -> str:
    """Return the words that go with *status*, or the number where there are none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)


def detail(status: int, text: str | None = None, **headers: str) -> Answer:
    """Answer *status* with `{"detail": text}`, or the status' own phrase.

    headers: by Python names, `www_authenticate` for `Www-Authenticate`.
    """
    body = _write({"detail": text or phrase(status)})
    named = tuple((name.replace("_", "-").title(), value) for name, value in headers.items())
    return Answer(status, body, headers=named)


def accepted(status: Literal[200, 201], content: dict[str, Any]) -> Answer:
    """Answer that the call is stored."""
    return Answer(status, _write(content))


def unprocessable(errors: Sequence[Any], nan_answer: Literal[500, 422]) -> Answer:
    """Answer 422 with all *errors*, echoing what was sent.

    NaN, infinities and lone surrogates cannot be echoed as JSON: that is a 500, unless *nan_answer*
    asks for a 422 with null and escapes in their place.
    """
    content = {"detail": errors}
    try:
        if nan_answer == 422:  # noqa: PLR2004 - a status
            # What stands for a lone surrogate in Python is an escape in JSON as well.
            return Answer(422, _write(_finite(content), errors="backslashreplace"))
        return Answer(422, _write(content))
    except (ValueError, RecursionError):
        return FAILED


def _encode(value: object) -> object:
    """Encode what is left in an error's context and input: exceptions and undecoded bodies."""
    return value.decode() if isinstance(value, bytes) else {}


# Made once: json.dumps makes one per call where it is given options, at twice the cost.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_encode
)


def _write(content: object, errors: str = "strict") -> bytes:
    return _ENCODER.encode(content).encode(errors=errors)


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return value.decode(errors="replace")
        case dict():
            return {name: _finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value
