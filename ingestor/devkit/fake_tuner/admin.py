"""The test-only routes: what arrived, what became of it, and which faults are to come."""

import base64
import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol

from aiohttp import web
from pydantic import ValidationError

from ingestor.devkit.fake_tuner.answers import JSON
from ingestor.devkit.fake_tuner.fault_file import Unusable, read_rules, write_rules
from ingestor.devkit.fake_tuner.faults import Rule
from ingestor.devkit.fake_tuner.log import Entry, Summary
from ingestor.devkit.fake_tuner.paging import Page, send_page, write
from ingestor.devkit.fake_tuner.store import Call

PREFIX = "/_standin"


class Backstage(Protocol):
    """What the admin routes need of the fake Tuner."""

    @property
    def calls(self) -> Sequence[Call]: ...
    @property
    def requests(self) -> Sequence[Entry]: ...
    @property
    def rules(self) -> Sequence[Rule]: ...
    def summary(self) -> Summary: ...
    def add_faults(self, *rules: Rule) -> None: ...
    def clear_faults(self) -> None: ...
    def reset(self) -> None: ...


class _Selection(Page):
    """Ask for the items that match; call_id and agent are shell patterns."""

    call_id: str = "*"
    agent: str = "*"
    workspace_id: int | None = None

    def takes(self, item: Call | Entry) -> bool:
        return (
            fnmatchcase(item.call_id or "", self.call_id)
            and fnmatchcase(item.agent or "", self.agent)
            and self.workspace_id in (None, item.workspace_id)
        )


class _Calls(_Selection):
    """Ask for calls: in normal form, with their body in base64, both, or neither."""

    show: Literal["normalised", "body", "both", "neither"] = "normalised"

    def turn(self, call: Call) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": call.id,
            "workspace_id": call.workspace_id,
            "agent": call.agent,
            "call_id": call.call_id,
            "received": call.received,
        }
        if self.show in ("normalised", "both"):
            shown["normalised"] = call.normalised
        if self.show in ("body", "both"):
            body = call.body
            shown["body"] = None if body is None else base64.b64encode(body).decode()
        return shown


class _Requests(_Selection):
    """Ask for lines of the log, of one status perhaps."""

    status: int | None = None

    def takes(self, item: Call | Entry) -> bool:
        status = item.status if isinstance(item, Entry) else None
        return self.status in (None, status) and super().takes(item)


class Admin:
    """Handle the routes under `/_standin`."""

    def __init__(self, tuner: Backstage) -> None:
        self._tuner = tuner

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, to be added to an application."""
        return [
            web.get(f"{PREFIX}/calls", self.calls),
            web.get(f"{PREFIX}/requests", self.requests),
            web.get(f"{PREFIX}/summary", self.summary),
            web.get(f"{PREFIX}/faults", self.faults),
            web.post(f"{PREFIX}/faults", self.add_faults),
            web.delete(f"{PREFIX}/faults", self.clear_faults),
            web.delete(PREFIX, self.reset),
        ]

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """Send a page of the stored calls, oldest first."""
        try:
            asked = _Calls.model_validate(dict(request.query))
        except ValidationError as error:
            return _unusable(error)
        return await send_page(request, asked, filter(asked.takes, self._tuner.calls), asked.turn)

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """Send a page of the log, in order of arrival."""
        try:
            asked = _Requests.model_validate(dict(request.query))
        except ValidationError as error:
            return _unusable(error)
        entries = filter(asked.takes, self._tuner.requests)
        return await send_page(request, asked, entries, _shallow)

    async def summary(self, _: web.Request) -> web.Response:
        """Send the log added up."""
        return _json(_shallow(self._tuner.summary()))

    async def faults(self, _: web.Request) -> web.Response:
        """Send the rules in force, as they can be posted."""
        return _json({"rules": write_rules(self._tuner.rules)})

    async def add_faults(self, request: web.Request) -> web.Response:
        """Put the rules in the body in force behind those that are; 422 names what is wrong."""
        match read_rules(await request.read()):
            case Unusable(problems):
                return _json({"detail": problems}, status=422)
            case rules:
                self._tuner.add_faults(*rules)
                return _json({"added": len(rules)}, status=201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        """Forget every rule."""
        self._tuner.clear_faults()
        return web.Response(status=204)

    async def reset(self, _: web.Request) -> web.Response:
        """Forget everything: calls, log, faults and recordings."""
        self._tuner.reset()
        return web.Response(status=204)


def _shallow(value: Entry | Summary) -> dict[str, Any]:
    # dataclasses.asdict copies all the way down, ten times as slowly.
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _unusable(error: ValidationError) -> web.Response:
    problems = error.errors(include_url=False, include_input=False)
    return _json(
        {"detail": [f"{problem['loc'][0]}: {problem['msg']}" for problem in problems]}, status=422
    )


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=write(content), content_type=JSON)
