"""Decides what an answer of Tuner means."""

import re
from typing import Final, TypeGuard

import msgspec

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.problem import Problem, Step, first, place, sentence
from ingestor.core.retry_after import pause
from ingestor.core.verdict import (
    Accepted,
    Circumstances,
    Hold,
    Refused,
    Scope,
    TryAgain,
    Verdict,
)

# Seconds, for a 429 that does not say for how long.
BREATH = 1.0
_MOST_PLACES = 2**24
_ERROR_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_OUR_FAULTS = {Fault.TLS, Fault.UNKNOWN_HOST}
# Beside success, what Tuner says itself of a call; others may say it in its place.
_TUNERS_OWN: Final = {404, 405, 409}
_json: Final = msgspec.json.Decoder()
# A body that is not Tuner's.
STRANGE: Final = object()
_NEW: Final = Accepted()
_KNOWN: Final = Accepted(is_duplicate=True)


def judge(answer: Answer, when: Circumstances) -> Verdict:
    """Decide what *answer* means."""
    if isinstance(answer, Unanswered):
        return _judge_fault(answer.fault)
    if answer.status // 100 != 2 and answer.status not in _TUNERS_OWN:
        return _judge_status(answer, when)
    reply = read_reply(answer)
    if reply is STRANGE:
        return Hold(Scope.DESTINATION, "not_tuner", answer.status)
    return _judge_reply(answer, reply, when)


def _judge_fault(fault: Fault) -> Verdict:
    if fault in _OUR_FAULTS:
        return Hold(Scope.DESTINATION, fault.value)
    return TryAgain(fault.value)


def _judge_reply(answer: Answered, reply: object, when: Circumstances) -> Verdict:
    """Judge a status that is Tuner's own word, since the body, *reply*, is of its kind."""
    is_unclear = when.is_unclear or answer.is_repeat
    match answer.status:
        case 404 if when.is_proven:
            return _refusal(answer)
        case 404:
            return Hold(Scope.ROUTE, "unknown_route", 404)
        case 405:
            return Hold(Scope.DESTINATION, "status_405", 405)
        case 409:
            return _NEW if is_unclear else _KNOWN
        case _:
            is_old = isinstance(reply, dict) and reply.get("is_new") is False
            return _KNOWN if is_old and not is_unclear else _NEW


def _judge_status(answer: Answered, when: Circumstances) -> Verdict:
    match status := answer.status:
        case 401:
            return Hold(Scope.CREDENTIAL, "unauthorized", status)
        case 403:
            return Hold(Scope.WORKSPACE, "forbidden", status)
        case 402 | 407 | 415 | 421 | 426 | 501 | 505:
            return Hold(Scope.DESTINATION, f"status_{status}", status)
        case 429:
            asked = pause(answer.retry_after, when.now)
            return TryAgain("status_429", BREATH if asked is None else asked, status)
        case _ if status in {408, 425} or status // 100 == 5:
            return TryAgain(f"status_{status}", pause(answer.retry_after, when.now), status)
        case _ if status // 100 == 4:
            return _refusal(answer)
        case _:
            return Hold(Scope.DESTINATION, f"status_{status}", status)


def _refusal(answer: Answered) -> Refused:
    errors = _errors(answer)
    details = f": {sentence(errors)}" if errors else ""
    return Refused(answer.status, f"Tuner answered {answer.status}{details}", errors)


def read_reply(answer: Answered) -> object:
    """Read the body, which is empty or JSON, as whatever Tuner sends is; `STRANGE` when it is
    neither. Of a body that was cut only the start can tell: then, and without one, None.
    """
    body = answer.body.strip()
    if not body:
        return None
    if not answer.is_whole:
        return None if body[:1] in b"{[" else STRANGE
    try:
        return _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return STRANGE


def _errors(answer: Answered) -> tuple[Problem, ...]:
    """Read the types and places of a FastAPI refusal; never its messages, nor the input that it
    echoes.
    """
    try:
        reply = _json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    detail = reply.get("detail") if isinstance(reply, dict) else None
    items = detail if isinstance(detail, list) else []
    return first(_error(item) for item in items if isinstance(item, dict))


def _error(item: dict[str, object]) -> Problem:
    kind, steps = item.get("type"), item.get("loc")
    rule = kind if isinstance(kind, str) and _ERROR_TYPE.fullmatch(kind) else "refused"
    known = [step for step in steps if _is_step(step)] if isinstance(steps, list) else []
    if known[:1] == ["body"]:
        del known[0]
    return Problem(place(known), rule)


def _is_step(step: object) -> TypeGuard[Step]:
    """Whether it is a name or a place in an array; a larger number is somebody's data."""
    return isinstance(step, str) or (type(step) is int and 0 <= step < _MOST_PLACES)
