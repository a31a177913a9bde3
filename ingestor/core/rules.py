"""What Tuner certainly refuses in a body that was parsed, rule by rule, each with its place.

In doubt, Tuner decides: the checks accept whatever a FastAPI server with lax pydantic models
accepts (a number in a string, an integral float for an integer, null for an optional field), and
say nothing about fields on which Tuner's generations differ.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TypeGuard

from ingestor.core.body import SPEECH
from ingestor.core.problem import Problem, Step, place

Check = Callable[[object], str | None]

REQUIRED = "is required"
ROLES = ("user", "agent", "agent_function", "agent_result", "node_transition")
TIMING = "needs words, or start_ms with end_ms or duration_ms"
OLD = f"has the older form {{role, content}} without times; it {TIMING}"
RECORDING = (
    "is required; publish the recording's address, or set INGESTOR_RECORDING_URL to a placeholder "
    'such as "pending" for calls without one'
)
LONGEST_CALL_ID = 200
_TRUTHS = frozenset(["0", "1", "f", "t", "n", "y", "no", "yes", "off", "on", "false", "true"])


def text(least: int = 0, most: int | None = None) -> Check:
    """Check for a string of *least* to *most* characters."""
    if most is None:
        rule = "must be a string"
    else:
        rule = f"must be a string of {f'{least} to' if least else 'at most'} {most} characters"

    def check(value: object) -> str | None:
        if not isinstance(value, str) or len(value) < least:
            return rule
        if most is not None and len(value) > most:
            return f"{rule}, is {len(value)} long"
        return None

    return check


def number(value: object) -> str | None:
    """Check for a number, or a string that spells one."""
    return (
        None
        if isinstance(value, (int, float)) or _spelled(value) is not None
        else "must be a number"
    )


def whole(value: object) -> str | None:
    """Check for a whole number; an integral float and a string that spells one pass."""
    if isinstance(value, str):
        value = _spelled(value)
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return None if is_whole else "must be a whole number"


def milliseconds(value: object) -> str | None:
    """Check for a time inside the call; Tuner rounds fractions of a millisecond up."""
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a number of milliseconds"
    return None if whole(value) is None else "must be a number of milliseconds"


def truth(value: object) -> str | None:
    """Check for a boolean, or what spells one."""
    if isinstance(value, str):
        good = value.strip().lower() in _TRUTHS
    else:
        good = isinstance(value, (bool, int, float)) and value in (0, 1)
    return None if good else "must be true or false"


def an_object(value: object) -> str | None:
    """Check for a JSON object."""
    return None if isinstance(value, dict) else "must be an object"


def _spelled(value: object) -> int | float | None:
    if not isinstance(value, str):
        return None
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return None


_NEEDED: Mapping[str, Check] = {
    "call_id": text(1, LONGEST_CALL_ID),
    "call_type": text(1, 100),
    "recording_url": text(1, 1024),
    "start_timestamp": whole,
    "end_timestamp": whole,
}
_OPTIONAL: Mapping[str, Check] = {
    "transcript": text(),
    "duration_ms": whole,
    "call_status": text(most=100),
    "disconnection_reason": text(most=100),
    "caller_phone_number": text(most=50),
    "call_successful": truth,
    "user_sentiment": text(most=50),
    "in_voicemail": truth,
    "collected_dynamic_variables": an_object,
    "call_cost": number,
    "call_analysis": an_object,
    "general_meta_data_raw": an_object,
    "recording_multi_channel_url": text(most=1024),
}
_ROW: Mapping[str, Check] = {
    "text": text(),
    "start_ms": milliseconds,
    "end_ms": milliseconds,
    "duration_ms": milliseconds,
}
_TOOL: Mapping[str, Check] = {
    "name": text(),
    "request_id": text(),
    "params": an_object,
    "result": an_object,
    "is_error": truth,
    "error": text(),
}
_NODE: Mapping[str, Check] = {"from": text(), "to": text(), "reason": text()}


def problems(body: object, *, old_rows: bool) -> Iterator[Problem]:
    """Yield all that Tuner would refuse in *body*; with *old_rows* a `{role, content}` row without
    times is left to Tuner.
    """
    if not isinstance(body, dict):
        yield Problem("", "must be a JSON object")
        return
    for name, check in _NEEDED.items():
        if body.get(name) is None:
            yield Problem(name, RECORDING if name == "recording_url" else REQUIRED)
        elif rule := check(body[name]):
            yield Problem(name, rule)
    yield from _fields(body, _OPTIONAL)
    yield from _transcript(body.get("transcript_with_tool_calls"), old_rows=old_rows)


def is_old(row: object) -> TypeGuard[Mapping[str, object]]:
    """Whether a transcript row has the older form: `content`, and nothing that says when it was
    spoken.
    """
    return (
        isinstance(row, dict)
        and isinstance(row.get("content"), str)
        and row.get("text") is None
        and not _is_timed(row)
    )


def _transcript(rows: object, *, old_rows: bool) -> Iterator[Problem]:
    name = "transcript_with_tool_calls"
    if rows is None:
        yield Problem(name, REQUIRED)
    elif not isinstance(rows, list):
        yield Problem(name, "must be an array")
    elif not rows:
        yield Problem(name, "must have at least one row")
    else:
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                yield Problem(place((name, index)), "must be an object")
            elif not (old_rows and is_old(row)):
                yield from _row(row, name, index)


def _row(row: Mapping[str, object], *at: Step) -> Iterator[Problem]:
    role = row.get("role")
    if role is None:
        yield Problem(place((*at, "role")), REQUIRED)
    elif role not in ROLES:
        yield Problem(place((*at, "role")), f"must be one of {', '.join(ROLES)}")
    yield from _fields(row, _ROW, *at)
    yield from _words(row.get("words"), *at, "words")
    yield from _part(row.get("tool"), _TOOL, *at, "tool")
    yield from _part(row.get("node"), _NODE, *at, "node")
    if "metadata" in row and an_object(row["metadata"]):
        yield Problem(place((*at, "metadata")), "must be an object; leave it out rather than null")
    if role in SPEECH and not _is_timed(row):
        yield Problem(place(at), OLD if is_old(row) else TIMING)


def _is_timed(row: Mapping[str, object]) -> bool:
    ends = row.get("end_ms") is not None or row.get("duration_ms") is not None
    return bool(row.get("words")) or (row.get("start_ms") is not None and ends)


def _words(words: object, *at: Step) -> Iterator[Problem]:
    if words is None:
        return
    if not isinstance(words, list):
        yield Problem(place(at), "must be an array")
        return
    for index, word in enumerate(words):
        here = (*at, index)
        if not isinstance(word, dict):
            yield Problem(place(here), "must be an object")
            continue
        for name in ("start_ms", "end_ms"):
            if word.get(name) is None:
                yield Problem(place((*here, name)), REQUIRED)
        yield from _fields(
            word,
            {
                "word": text(),
                "start_ms": milliseconds,
                "end_ms": milliseconds,
                "confidence": number,
            },
            *here,
        )


def _part(part: object, checks: Mapping[str, Check], *at: Step) -> Iterator[Problem]:
    if part is None:
        return
    if isinstance(part, dict):
        yield from _fields(part, checks, *at)
    else:
        yield Problem(place(at), "must be an object")


def _fields(
    values: Mapping[str, object], checks: Mapping[str, Check], *at: Step
) -> Iterator[Problem]:
    for name, check in checks.items():
        value = values.get(name)
        if value is not None and (rule := check(value)):
            yield Problem(place((*at, name)), rule)
