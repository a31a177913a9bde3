"""Judges the query and the body together and names every problem at once, as FastAPI does."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from ingestor.devkit.fake_tuner.body import Absent, Parsed
from ingestor.devkit.fake_tuner.model import MODELS, AnyCall
from ingestor.devkit.fake_tuner.options import Profile

Problem = dict[str, Any]
_INTEGER = TypeAdapter(int)


@dataclass(frozen=True, slots=True)
class Query:
    """Hold what the query string says; what is missing or unusable is None, and a problem."""

    workspace_id: int | None
    agent: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Valid:
    """Hold a call that may be stored, and for whom."""

    workspace_id: int
    agent: str
    call: AnyCall


@dataclass(frozen=True, slots=True)
class Invalid:
    """Hold every problem of a request, each with `type`, `loc`, `msg`, `input` and maybe `ctx`."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Fatal:
    """Say that judging the request breaks the server: an infinite time cannot be rounded up."""


@lru_cache(maxsize=1024)
def read_query(text: str) -> Query:
    """Read a query string (without its `?`); of a repeated name the last value counts."""
    values = dict(parse_qsl(text, keep_blank_values=True))
    problems: list[Problem] = []
    workspace_id = None
    if "workspace_id" not in values:
        problems.append(_missing("query", "workspace_id"))
    else:
        try:
            workspace_id = _INTEGER.validate_python(values["workspace_id"])
        except ValidationError as error:
            problems += _problems(error, "query", "workspace_id")
    agent = values.get("agent_remote_identifier")
    if agent is None:
        problems.append(_missing("query", "agent_remote_identifier"))
    return Query(workspace_id, agent, tuple(problems))


def inspect(query: Query, body: Parsed | Absent, profile: Profile) -> Valid | Invalid | Fatal:
    """Return the call that *body* holds, or all that is wrong with it and with *query*."""
    if isinstance(body, Absent):
        return Invalid((*query.problems, _missing("body")))
    try:
        call = MODELS[profile].validate_python(body.value, from_attributes=True)
    except ValidationError as error:
        return Invalid((*query.problems, *_problems(error, "body")))
    except OverflowError:
        return Fatal()
    if query.workspace_id is None or query.agent is None:
        return Invalid(query.problems)
    return Valid(query.workspace_id, query.agent, call)


def _missing(*loc: str) -> Problem:
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": None}


def _problems(error: ValidationError, *prefix: str) -> list[Problem]:
    return [
        {**problem, "loc": (*prefix, *problem["loc"])}
        for problem in error.errors(include_url=False)
    ]
