"""Reads fault rules from JSON and names the place of everything that is wrong with them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ingestor.devkit.fake_tuner.faults import Rule

_RULES: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(tuple[Rule, ...])


@dataclass(frozen=True, slots=True)
class Unusable:
    """Say what is wrong with a set of rules, a line per problem that begins with its place."""

    problems: tuple[str, ...]


def read_rules(text: str | bytes) -> tuple[Rule, ...] | Unusable:
    """Read a JSON array of rules, each an object with a *kind*."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Unusable((f"line {error.lineno}, column {error.colno}: {error.msg}",))
    except (UnicodeDecodeError, RecursionError):
        return Unusable(("line 1, column 1: not JSON text",))
    try:
        return _RULES.validate_python(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        return Unusable(
            tuple(f"{_place(problem['loc'], value)}: {problem['msg']}" for problem in problems)
        )


def write_rules(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Turn rules back into what `read_rules` reads."""
    return _RULES.dump_python(tuple(rules), mode="json")  # type: ignore[no-any-return]


def _place(loc: tuple[int | str, ...], value: Any) -> str:
    """Spell *loc* as a path into *value*, such as `rules[0].answers[2].status`."""
    return "rules" + "".join(_steps(loc, value))


def _steps(loc: tuple[int | str, ...], value: Any) -> Iterator[str]:
    for step in loc:
        # Which member of a union was meant is pydantic's own step, not one of the writer's.
        match step, value:
            case int(), list():
                yield f"[{step}]"
                value = value[step]
            case str(), dict() if value.get("kind") != step:
                yield f".{step}"
                value = value.get(step)
