"""Where a call goes."""

import json
from collections.abc import Sequence

import pytest
from builders import call, destination, event, record, route
from core.strategies import anything, json_values, many
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.call import Call
from ingestor.core.outcome import Dead, Reason
from ingestor.core.problem import Problem
from ingestor.core.record import Header
from ingestor.core.route import Destination, Route
from ingestor.core.routing import (
    AGENT_HEADER,
    NO_AGENT,
    NO_CREDENTIAL,
    NO_WORKSPACE,
    WORKSPACE_HEADER,
    Router,
    Rule,
    field_value,
)

HERE = destination()
THERE = destination("https://eu.tuner.example.test", "eu")


def router(*rules: Rule, to: Destination | None = HERE) -> Router:
    """Build a router whose settings say where to go."""
    return Router(to, workspace="7", agent="front-desk", rules=rules)


def routed(
    found: Router, own: Call | None = None, headers: Sequence[Header] = (), topic: str = "calls"
) -> Route:
    outcome = found.route(record(topic=topic, headers=headers), own or call())
    assert isinstance(outcome, Route), outcome
    return outcome


def test_the_settings_say_where_to_go() -> None:
    """When nothing else does; the route is then one and the same."""
    plain = router()

    assert routed(plain) == route()
    assert routed(plain) is routed(plain, call("other"))


HEADERS = [(WORKSPACE_HEADER, b"1"), (AGENT_HEADER, b"by-header")]
OWN = call(workspace=2, agent="by-field")
RULE = Rule(workspace="3", agent="by-rule")


@table(
    "headers, own, rules, expected",
    {
        "headers first": (HEADERS, OWN, [RULE], ("1", "by-header")),
        "then the event's fields": ([], OWN, [RULE], ("2", "by-field")),
        "then the routes file": ([], call(), [RULE], ("3", "by-rule")),
        "then the settings": ([], call(), [], ("7", "front-desk")),
        "each id by itself: one by header": (HEADERS[:1], OWN, [RULE], ("1", "by-field")),
        "one by field": (HEADERS[1:], call(workspace=2), [RULE], ("2", "by-header")),
        "one by rule": ([], call(agent="by-field"), [RULE], ("3", "by-field")),
        "one by settings": ([], call(), [Rule(agent="by-rule")], ("7", "by-rule")),
        "other headers say nothing": ([("a", b"b"), ("c", None)], call(), [], ("7", "front-desk")),
        "headers without a value say nothing": (
            [(WORKSPACE_HEADER, None), (AGENT_HEADER, b"")],
            OWN,
            [],
            ("2", "by-field"),
        ),
        "of equal headers the last": ([*HEADERS, (AGENT_HEADER, b"z")], OWN, [], ("1", "z")),
        "empty fields say nothing": (
            [],
            call(workspace="", agent=""),
            [RULE],
            ("3", "by-rule"),
        ),
    },
)
def test_the_first_that_speaks_decides(
    headers: Sequence[Header], own: Call, rules: Sequence[Rule], expected: tuple[str, str]
) -> None:
    """For each id by itself: headers, fields, routes file, settings."""
    found = routed(router(*rules), own, headers)

    assert (found.workspace, found.agent) == expected


@table(
    "headers, own, is_configured",
    {
        "neither id from the event": ([], call(), True),
        "a workspace by header": (HEADERS[:1], call(), False),
        "an agent by header": (HEADERS[1:], call(), False),
        "a workspace by field": ([], call(workspace=2), False),
        "an agent by field": ([], call(agent="a"), False),
    },
)
def test_a_route_knows_whether_we_chose_its_ids(
    headers: Sequence[Header], own: Call, *, is_configured: bool
) -> None:
    """A wrong id of our own stops its route; one that an event made up concerns that event."""
    assert routed(router(), own, headers).is_configured is is_configured
    assert routed(router(RULE), own, headers).is_configured is is_configured


@table(
    "settings, problem",
    {
        "no workspace": (Router(HERE, agent="a"), NO_WORKSPACE),
        "an empty workspace": (Router(HERE, agent="a", workspace=""), NO_WORKSPACE),
        "no agent": (Router(HERE, workspace="7"), NO_AGENT),
        "no credential": (Router(None, workspace="7", agent="a"), NO_CREDENTIAL),
    },
)
def test_what_nobody_says_is_missing(settings: Router, problem: Problem) -> None:
    """The letter says by which four ways it could have been said."""
    assert settings.route(record(), call()) == Dead(
        Reason.NO_ROUTE, str(problem), (problem,), call_id="orders-7f3a"
    )


@table(
    "headers, own, problem",
    {
        "a workspace by header": (
            [(WORKSPACE_HEADER, b"main")],
            OWN,
            Problem("header tuner-workspace-id", "must be a whole number"),
        ),
        "a workspace by field": (
            [],
            call(workspace={}),
            Problem("workspace_id", "must be a whole number"),
        ),
        "an agent by header": (
            [(AGENT_HEADER, b"\xff")],
            OWN,
            Problem("header tuner-agent-id", "must be UTF-8 text"),
        ),
        "an agent by field": (
            [],
            call(agent=True),
            Problem("agent_remote_identifier", "must be a string"),
        ),
    },
)
def test_an_id_that_cannot_be_one_is_a_letter(
    headers: Sequence[Header], own: Call, problem: Problem
) -> None:
    """Nothing is sent to somebody else instead."""
    assert router(RULE).route(record(headers=headers), own) == Dead(
        Reason.NO_ROUTE, str(problem), (problem,), call_id="orders-7f3a"
    )


def test_an_integer_agent_is_its_digits() -> None:
    """As it would be in the query."""
    assert routed(router(), call(agent=8)).agent == "8"


def test_what_the_settings_leave_out_an_event_may_say() -> None:
    """Both ids can come with every event."""
    assert routed(Router(HERE), OWN) == Route(HERE, "2", "by-field", is_configured=False)


def test_a_credential_never_comes_from_an_event() -> None:
    """Only the routes file chooses another; without it there is only that of the settings."""
    assert routed(router(), OWN, HEADERS).destination == HERE
    assert routed(router(Rule(destination=THERE)), OWN, HEADERS).destination == THERE
    assert routed(router(Rule(destination=THERE), to=None)).destination == THERE


EU = Rule(topic="eu.*", workspace="20", destination=THERE)
GOLD = Rule(field=("metadata", "tier"), values=("gold", 1), workspace="30")
LAST = Rule(workspace="40")
GOLDEN = call(body=event(metadata={"tier": "gold"}))


@table(
    "topic, own, workspace",
    {
        "the topic matches": ("eu.calls", call(), "20"),
        "the first that matches decides": ("eu.calls", GOLDEN, "20"),
        "a field matches": ("calls", GOLDEN, "30"),
        "a number in it": ("calls", call(body=event(metadata={"tier": 1})), "30"),
        "true is not one": ("calls", call(body=event(metadata={"tier": True})), "40"),
        "nor is 1.0": ("calls", call(body=event(metadata={"tier": 1.0})), "40"),
        "another value": ("calls", call(body=event(metadata={"tier": "tin"})), "40"),
        "no such field": ("calls", call(), "40"),
        "an object above it that is none": ("calls", call(body=event(metadata="gold")), "40"),
        "letters of a topic are told apart": ("EU.calls", call(), "40"),
    },
)
def test_the_first_rule_that_matches_decides(topic: str, own: Call, workspace: str) -> None:
    """By topic, by a field of the event, or always."""
    assert routed(router(EU, GOLD, LAST), own, topic=topic).workspace == workspace


def test_a_rule_may_ask_for_topic_and_field() -> None:
    """Then both have to match."""
    both = Rule(topic="eu.*", field=("tier",), values=("gold",), agent="x")
    gold = call(body=event(tier="gold"))

    assert routed(router(both), gold, topic="eu.calls").agent == "x"
    assert routed(router(both), gold).agent == "front-desk"
    assert routed(router(both), call(), topic="eu.calls").agent == "front-desk"


def test_when_no_rule_matches_the_settings_decide() -> None:
    """A routes file need not be complete."""
    assert routed(router(EU)) == route()


@table(
    "path, expected",
    {
        "a field": (("call_id",), "orders-7f3a"),
        "a field of an object": (("metadata", "tenant"), "t-9"),
        "an object": (("metadata",), {"tenant": "t-9", "tags": ["a"]}),
        "no such field": (("tenant",), None),
        "below a string": (("call_id", "x"), None),
        "below an array": (("metadata", "tags", "0"), None),
        "the event itself": ((), event(metadata={"tenant": "t-9", "tags": ["a"]})),
    },
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_field_is_found_by_its_path(
    path: tuple[str, ...], expected: object, encoding: str
) -> None:
    """In any encoding that Tuner reads."""
    text = event(metadata={"tenant": "t-9", "tags": ["a"]})
    if isinstance(expected, bytes):
        expected = json.loads(expected)

    assert field_value(text.decode().encode(encoding), path) == expected


@table(
    "text",
    {
        "bytes that are no text": b'{"a": "\xff"}',
        "half a pair in UTF-16": '{"a":"\ud83d"}'.encode("utf-16-be", "surrogatepass"),
        "brackets without end": b'{"a":' + b"[" * 100_000,
        "a number that is too long": b'{"a": 1e400}',
        "no object": b"[]",
    },
)
def test_what_cannot_be_read_is_not_found(text: bytes) -> None:
    """Then another rule, or the settings, decide."""
    assert field_value(text, ("a",)) is None


@many
@given(
    anything,
    json_values(),
    json_values(),
    st.lists(
        st.tuples(
            st.sampled_from([WORKSPACE_HEADER, AGENT_HEADER, "a"]),
            st.none() | st.binary(max_size=4),
        ),
        max_size=3,
    ),
)
def test_routing_never_raises(
    body: bytes, workspace: object, agent: object, headers: list[Header]
) -> None:
    """A call has a route, or a letter that says why it has none."""
    own = call(body=body, workspace=workspace, agent=agent)

    outcome = router(EU, GOLD).route(record(headers=headers), own)

    if isinstance(outcome, Route):
        assert outcome.workspace.isdecimal()
        assert outcome.agent
    else:
        assert outcome.reason is Reason.NO_ROUTE
