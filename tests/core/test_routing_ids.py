"""What an event may say of where it goes."""

from collections.abc import Sequence

from builders import call, destination, record, route
from core.tables import table

from ingestor.core.call import Call
from ingestor.core.outcome import Dead, Reason
from ingestor.core.problem import Problem
from ingestor.core.record import Header
from ingestor.core.route import Route
from ingestor.core.routing import AGENT_HEADER, LONGEST_IN_URL, WORKSPACE_HEADER, Router

ROUTER = Router(destination(), workspace="7", agent="front-desk")


@table(
    "value, expected",
    {
        "a number": (8, "8"),
        "a string": ("8", "8"),
        "spaces around it": (" 8 ", "8"),
        "a sign before it": ("+8", "8"),
        "zero": (0, "0"),
        "an integral float": (8.0, "8"),
        "a string that spells one": ("8.0", "8"),
        "the longest": ("9" * 18, "9" * 18),
        "a longer one": (10**18, None),
        "one as long as Python reads": (10**4299, None),
        "a fraction": (8.5, None),
        "below zero": (-8, None),
        "a large float": (1e30, None),
        "an infinite one": (float("inf"), None),
        "a boolean": (True, None),
        "a name": ("main", None),
        "a space": (" ", None),
        "digits of another alphabet": ("\u0668", None),
        "an array": ([8], None),
        "an object": ({}, None),
    },
)
def test_a_workspace_is_a_whole_number(value: object, expected: str | None) -> None:
    """In whatever form an event has it; anything else is a letter that says where it stood."""
    outcome = ROUTER.route(record(), call(workspace=value))

    if expected:
        assert outcome == route(workspace=expected, is_configured=False)
    else:
        problem = Problem("workspace_id", "must be a whole number")
        assert outcome == Dead(Reason.NO_ROUTE, str(problem), (problem,), call_id="orders-7f3a")


@table(
    "header, expected",
    {
        "a number": (b"8", "8"),
        "spaces around it": (b" 8\n", "8"),
        "leading zeros": (b"008", "008"),
        "a name": (b"main", None),
        "a space": (b" ", None),
        "bytes that are no text": (b"\xff", None),
    },
)
def test_a_workspace_in_a_header_is_read_alike(header: bytes, expected: str | None) -> None:
    """The message names the header, and not what stands in it."""
    outcome = ROUTER.route(record(headers=[(WORKSPACE_HEADER, header)]), call())

    if expected:
        assert outcome == route(workspace=expected, is_configured=False)
    else:
        assert isinstance(outcome, Dead)
        assert outcome.message == "header tuner-workspace-id: must be a whole number"


@table(
    "headers, own, expected",
    {
        "a string": ([], call(agent="desk 1 & 2"), "desk 1 & 2"),
        "a number": ([], call(agent=8), "8"),
        "zero": ([], call(agent=0), "0"),
        "a header": ([(AGENT_HEADER, "B\u00fcro".encode())], call(), "B\u00fcro"),
    },
)
def test_an_agent_is_any_text(headers: Sequence[Header], own: Call, expected: str) -> None:
    """Tuner's dashboard makes it up; it is taken as it stands."""
    outcome = ROUTER.route(record(headers=headers), own)

    assert isinstance(outcome, Route)
    assert outcome.agent == expected


@table(
    "headers, own, message",
    {
        "a header that is no text": (
            [(AGENT_HEADER, b"\xff")],
            call(),
            "header tuner-agent-id: must be UTF-8 text",
        ),
        "a boolean": ([], call(agent=False), "agent_remote_identifier: must be a string"),
        "a float": ([], call(agent=8.0), "agent_remote_identifier: must be a string"),
        "an array": ([], call(agent=["a"]), "agent_remote_identifier: must be a string"),
        "an object": ([], call(agent={}), "agent_remote_identifier: must be a string"),
    },
)
def test_an_agent_that_is_no_text_is_a_letter(
    headers: Sequence[Header], own: Call, message: str
) -> None:
    """It says where it stood, not what it was; nothing is sent to somebody else instead."""
    outcome = ROUTER.route(record(headers=headers), own)

    assert isinstance(outcome, Dead)
    assert (outcome.reason, outcome.message) == (Reason.NO_ROUTE, message)


@table(
    "agent, fits",
    {
        "the longest": ("a" * LONGEST_IN_URL, True),
        "a longer one": ("a" * (LONGEST_IN_URL + 1), False),
        "the longest of another alphabet": ("\u4e2d" * (LONGEST_IN_URL // 9), True),
        "a longer one of another alphabet": ("\u4e2d" * (LONGEST_IN_URL // 9 + 1), False),
        "a number of many digits": (10**LONGEST_IN_URL, False),
    },
)
def test_an_agent_that_no_url_can_carry_is_a_letter(agent: str | int, fits: bool) -> None:  # noqa: FBT001 - a table's column
    """A proxy would refuse the request, and its answer would look like a wrong address."""
    if isinstance(agent, str):
        in_header = ROUTER.route(record(headers=[(AGENT_HEADER, agent.encode())]), call())
        assert isinstance(in_header, Route) is fits
    found = ROUTER.route(record(), call(agent=agent))

    if fits:
        assert found == route(agent=str(agent), is_configured=False)
    else:
        problem = Problem("agent_remote_identifier", "is too long for a URL")
        assert found == Dead(Reason.NO_ROUTE, str(problem), (problem,), call_id="orders-7f3a")
