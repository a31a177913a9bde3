"""Reads the routes file: which calls go to which workspace and agent, and with which credential.

The first route that matches wins. In problems route[1] is the first of the file.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BeforeValidator

from ingestor.settings.credentials import DEFAULT, Credential, read_credential
from ingestor.settings.draft import Draft
from ingestor.settings.files import Unreadable, read_toml
from ingestor.settings.groups import Group, Text, WorkspaceId, fill
from ingestor.settings.problems import Problem
from ingestor.settings.strangers import unknown_keys
from ingestor.settings.values import text, unfit

MatchValue = str | int | bool


@dataclass(frozen=True, slots=True)
class Route:
    """One [[route]]: calls of topics like *topic* whose *field* equals one of *values* take it.

    No topic and no field means any; a workspace or agent of None must come with the event.
    Values are equal only within one type: the number 1 is neither "1" nor true.
    """

    topic: str | None
    field: tuple[str, ...]
    values: tuple[MatchValue, ...]
    workspace_id: int | None
    agent_id: str | None
    credential: str


@dataclass(frozen=True, slots=True)
class RoutesFile:
    """What the routes file says, or what is wrong with it."""

    credentials: tuple[Credential, ...] = ()
    routes: tuple[Route, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def _path(raw: object) -> tuple[str, ...]:
    parts = tuple(text(raw).split("."))
    if not all(parts):
        raise unfit("must be names joined by dots, like metadata.tenant")
    return parts


def _value(raw: object) -> tuple[MatchValue, ...]:
    if not isinstance(raw, str | int | bool) or raw == "":
        raise unfit("must be text that is not empty, a whole number, true or false")
    return (raw,)


def _values(raw: object) -> tuple[MatchValue, ...]:
    if not isinstance(raw, list) or not raw:
        raise unfit("must be a list of at least one value")
    return tuple(value for entry in raw for value in _value(entry))


class RouteEntry(Group):
    """What a [[route]] of the routes file may hold."""

    topic: Text | None = None
    field: Annotated[tuple[str, ...], BeforeValidator(_path)] = ()
    value: Annotated[tuple[MatchValue, ...], BeforeValidator(_value)] = ()
    values: Annotated[tuple[MatchValue, ...], BeforeValidator(_values)] = ()
    workspace_id: WorkspaceId | None = None
    agent_id: Text | None = None
    credential: Text = DEFAULT


def read_routes(draft: Draft) -> RoutesFile:
    """Read the routes file that *draft* names; the settings fill in what its entries leave out."""
    path = draft.ingestor.routes_file
    if path is None:
        return RoutesFile()
    content = read_toml(path)
    if isinstance(content, Unreadable):
        message = f"must name a file of routes in TOML; this one is {content.why}"
        return RoutesFile(problems=(draft.problem("INGESTOR_ROUTES_FILE", message),))
    named, routes = content.get("credential", {}), content.get("route")
    problems = list(unknown_keys(content, ("credential", "route"), place="routes file: "))
    if not isinstance(named, Mapping):
        problems.append(Problem("routes file: credential", "must be tables: [credential.NAME]"))
        named = {}
    if not isinstance(routes, list) or not routes:
        message = "is missing: at least one entry with the header [[route]] is needed"
        problems.append(Problem("routes file: route", message))
        routes = []
    return _assemble(named, routes, problems, draft)


def _assemble(
    named: Mapping[str, Any], entries: list[Any], problems: list[Problem], draft: Draft
) -> RoutesFile:
    names = named.keys() | ({DEFAULT} if draft.is_given("TUNER_API_KEY") else set())
    credentials = [read_credential(name, raw, draft) for name, raw in named.items()]
    routes = [_route(place, raw, names, draft) for place, raw in _places(entries)]
    for part in (*credentials, *routes):
        problems += part if isinstance(part, list) else []
    usable = tuple(route for route in routes if isinstance(route, Route))
    return RoutesFile(
        tuple(credential for credential in credentials if isinstance(credential, Credential)),
        usable,
        tuple(problems),
        () if problems else (*_unreached(usable, draft), *_unused(usable, named)),
    )


def _places(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"routes file: route[{number}]", raw) for number, raw in enumerate(entries, start=1))


def _route(place: str, raw: object, names: AbstractSet[str], draft: Draft) -> Route | list[Problem]:
    if not isinstance(raw, Mapping):
        return [Problem(place, "must be a table, with the header [[route]]")]
    known = {key: raw[key] for key in RouteEntry.model_fields if key in raw}
    entry, faults = fill(RouteEntry, known)
    problems = [
        *unknown_keys(raw, RouteEntry.model_fields, place=f"{place}."),
        *(Problem(f"{place}.{key}", rule) for key, rule in faults.items()),
        *_unmatched(place, known),
    ]
    if "credential" not in faults and entry.credential not in names:
        problems.append(_unknown_credential(place, names, is_given="credential" in known))
    if problems:
        return problems
    return Route(
        topic=entry.topic,
        field=entry.field,
        values=entry.value or entry.values,
        workspace_id=entry.workspace_id or draft.tuner.workspace_id,
        agent_id=entry.agent_id or draft.tuner.agent_id,
        credential=entry.credential,
    )


def _unmatched(place: str, known: Mapping[str, object]) -> Iterator[Problem]:
    has_value = "value" in known or "values" in known
    if "value" in known and "values" in known:
        yield Problem(f"{place}.values", "must not stand beside value; keep one of them")
    if "field" in known and not has_value:
        yield Problem(f"{place}.value", "is missing: what must the field equal?")
    if has_value and "field" not in known:
        yield Problem(f"{place}.field", "is missing: which field must have the value?")
    elif "topic" not in known and "field" not in known:
        yield Problem(place, "must have a topic or a field to match")


def _unknown_credential(place: str, names: AbstractSet[str], *, is_given: bool) -> Problem:
    known = ", ".join(sorted(names)) or "none"
    if is_given:
        message = f"must be the NAME of a [credential.NAME] of this file; known are: {known}"
    else:
        message = f"is missing, and TUNER_API_KEY is not set; set one of them; known are: {known}"
    return Problem(f"{place}.credential", message)


def _unreached(routes: tuple[Route, ...], draft: Draft) -> Iterator[Problem]:
    if not draft.is_sound("KAFKA_TOPICS"):
        return
    left = set(draft.kafka.topics)
    for number, route in enumerate(routes, start=1):
        matched = {topic for topic in left if fnmatchcase(topic, route.topic or "*")}
        if not matched:
            message = "is never taken: no topic that is read matches it, or an earlier route does"
            yield Problem(f"routes file: route[{number}]", message)
        if not route.field:
            left -= matched


def _unused(routes: tuple[Route, ...], named: Mapping[str, Any]) -> Iterator[Problem]:
    used = {route.credential for route in routes}
    for name in named:
        if name not in used:
            yield Problem(f"routes file: credential.{name}", "is used by no route")
