"""Decides where a call goes.

For each id by itself, the first that speaks decides: the record's headers, the event's own fields,
the routes file, the settings. The credential comes from the routes file or the settings, never from
an event.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote

import msgspec

from ingestor.core.call import Call
from ingestor.core.outcome import Dead, Reason
from ingestor.core.parsing import to_utf8
from ingestor.core.problem import Problem
from ingestor.core.record import Record
from ingestor.core.route import Destination, Route

WORKSPACE_HEADER = "tuner-workspace-id"
AGENT_HEADER = "tuner-agent-id"
# A longer request line (8,000 bytes at most in common proxies) is refused before Tuner sees it, and
# that would look as if the address were wrong.
LONGEST_IN_URL = 4_000

Scalar = str | int | bool
Id = str | Problem | None
NO_WORKSPACE = Problem(
    "workspace",
    "is missing: set TUNER_WORKSPACE_ID, or give it by a [[route]], by the header "
    f"{WORKSPACE_HEADER} or by the field workspace_id",
)
NO_CREDENTIAL = Problem(
    "credential", "is missing: set TUNER_API_KEY, or name a credential in the [[route]]"
)
NO_AGENT = Problem(
    "agent",
    "is missing: set TUNER_AGENT_ID, or give it by a [[route]], by the header "
    f"{AGENT_HEADER} or by the field agent_remote_identifier",
)
_INTEGER = re.compile(r"\+?([0-9]{1,18})(?:\.0+)?")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[route]]`: which events it speaks of, and what it says of them.

    *topic* is a pattern, *field* a path into the body, *values* what may stand there.
    """

    topic: str | None = None
    field: tuple[str, ...] = ()
    values: tuple[Scalar, ...] = ()
    workspace: str | None = None
    agent: str | None = None
    destination: Destination | None = None

    def matches(self, topic: str, body: bytes) -> bool:
        """Whether the rule speaks of an event with *body* on *topic*."""
        if self.topic is not None and not fnmatchcase(topic, self.topic):
            return False
        if not self.field:
            return True
        found = field_value(body, self.field)
        # True == 1 in Python, but not in JSON.
        return any(found == value and type(found) is type(value) for value in self.values)


_NO_RULE = Rule()


class Router:
    """Finds the route of each call; *workspace*, *agent* and *destination* are the settings'."""

    def __init__(
        self,
        destination: Destination | None,
        *,
        workspace: str | None = None,
        agent: str | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        self._destination = destination or NO_CREDENTIAL
        self._workspace = workspace or NO_WORKSPACE
        self._agent = agent or NO_AGENT
        self._rules = tuple(rules)
        # Most services have one route, and their events say nothing of it: it is built once.
        self._plain = self._find(_NO_RULE, None, None)

    def route(self, record: Record, call: Call) -> Route | Dead:
        """Decide where *call* goes; a letter (`no_route`) when an id is missing or unusable."""
        is_plain = not (self._rules or record.headers or call.has_own_ids)
        found = self._plain if is_plain else self._choose(record, call)
        if isinstance(found, Route):
            return found
        return Dead(Reason.NO_ROUTE, str(found), (found,), call_id=call.call_id)

    def _choose(self, record: Record, call: Call) -> Route | Problem:
        headers = dict(record.headers)
        own_workspace = _workspace(headers.get(WORKSPACE_HEADER), call.workspace)
        own_agent = _agent(headers.get(AGENT_HEADER), call.agent)
        matching = (rule for rule in self._rules if rule.matches(record.topic, call.body))
        return self._find(next(matching, _NO_RULE), own_workspace, own_agent)

    def _find(self, rule: Rule, own_workspace: Id, own_agent: Id) -> Route | Problem:
        """Choose among the event's own ids, those of *rule* and those of the settings."""
        workspace = own_workspace or rule.workspace or self._workspace
        agent = own_agent or rule.agent or self._agent
        destination = rule.destination or self._destination
        if isinstance(workspace, Problem):
            return workspace
        if isinstance(agent, Problem):
            return agent
        if isinstance(destination, Problem):
            return destination
        is_configured = own_workspace is None and own_agent is None
        return Route(destination, workspace, agent, is_configured=is_configured)


def field_value(body: bytes, path: Sequence[str]) -> object:
    """Read what stands at *path* in a JSON object, None when nothing does."""
    try:
        here = msgspec.Raw(to_utf8(body))
        for name in path:
            here = _fields.decode(here)[name]
        return msgspec.json.decode(here)
    except (KeyError, msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _workspace(header: bytes | None, field: object) -> Id:
    """Read an event's own workspace: a whole number in any form that Tuner's query takes."""
    if header:
        spelled, where = header.decode("utf-8", "replace"), f"header {WORKSPACE_HEADER}"
    elif field is None or field == "":
        return None
    else:
        spelled, where = str(field) if isinstance(field, (int, float, str)) else "", "workspace_id"
    whole = _INTEGER.fullmatch(spelled.strip())
    return whole[1] if whole else Problem(where, "must be a whole number")


def _agent(header: bytes | None, field: object) -> Id:
    """Read an event's own agent: any text that a URL can carry."""
    where = f"header {AGENT_HEADER}" if header else "agent_remote_identifier"
    if header:
        try:
            agent = header.decode()
        except UnicodeDecodeError:
            return Problem(where, "must be UTF-8 text")
    elif field is None or field == "":
        return None
    elif isinstance(field, bool) or not isinstance(field, (int, str)):
        return Problem(where, "must be a string")
    else:
        agent = str(field)
    # A character takes nine in a URL at most: few ids have to be spelled to be measured.
    if len(agent) * 9 > LONGEST_IN_URL and len(quote(agent, safe="")) > LONGEST_IN_URL:
        return Problem(where, "is too long for a URL")
    return agent
