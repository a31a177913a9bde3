"""Judging query and body together."""

import pytest
from devkit.fake_tuner.practice import QUERY, ROWS, call, call_saying

from ingestor.devkit.fake_tuner.body import Absent, Parsed
from ingestor.devkit.fake_tuner.inspection import Fatal, Invalid, Valid, inspect, read_query

Places = list[tuple[str, list[str | int]]]


def places(judged: Valid | Invalid | Fatal) -> Places:
    assert isinstance(judged, Invalid)
    return [(problem["type"], list(problem["loc"])) for problem in judged.problems]


@pytest.mark.parametrize(
    ("query", "workspace_id"),
    [
        ("workspace_id=7", 7),
        ("workspace_id=1&workspace_id=7", 7),
        ("workspace_id=7.0", 7),
        ("workspace_id=%207%20", 7),
        ("workspace_id=-7", -7),
        ("workspace_id=", None),
        ("workspace_id=7.5", None),
        ("workspace_id=" + "9" * 5000, None),
        ("", None),
    ],
)
def test_a_workspace_is_read_leniently(query: str, workspace_id: int | None) -> None:
    """A query's integer may come with blanks or a decimal point; the last of several counts."""
    read = read_query(query + "&agent_remote_identifier=a1")

    assert read.workspace_id == workspace_id
    assert len(read.problems) == (workspace_id is None)


@pytest.mark.parametrize(
    ("query", "agent"),
    [
        ("agent_remote_identifier=a%26b+c", "a&b c"),
        ("agent_remote_identifier=", ""),
        ("agent_remote_identifier=%ff", "\ufffd"),
        ("agent=a", None),
    ],
)
def test_an_agent_is_any_text(query: str, agent: str | None) -> None:
    """An Agent ID is decoded, may be empty, but must be there."""
    assert read_query(query).agent == agent


def test_a_good_request_is_valid() -> None:
    """Workspace, agent and call come out together."""
    judged = inspect(read_query(QUERY), Parsed(call()), "current")

    assert isinstance(judged, Valid)
    assert (judged.workspace_id, judged.agent) == (1, "a1")
    assert judged.call.call_id == call()["call_id"]


def test_all_problems_come_at_once() -> None:
    """Those of the query stand before those of the body."""
    judged = inspect(read_query("workspace_id=x"), Parsed(call(call_id=1)), "current")

    assert places(judged) == [
        ("int_parsing", ["query", "workspace_id"]),
        ("missing", ["query", "agent_remote_identifier"]),
        ("string_type", ["body", "call_id"]),
    ]


def test_a_good_body_does_not_save_a_bad_query() -> None:
    """A call without a workspace is refused."""
    judged = inspect(read_query("agent_remote_identifier=a1"), Parsed(call()), "current")

    assert places(judged) == [("missing", ["query", "workspace_id"])]


def test_no_body_is_missing() -> None:
    """An absent body is one problem, at the body."""
    assert places(inspect(read_query(QUERY), Absent(), "current")) == [("missing", ["body"])]


@pytest.mark.parametrize("value", [None, [], "x", 5, b"\xff"])
def test_a_body_that_is_no_object_is_refused_as_a_whole(value: object) -> None:
    """Null, arrays, scalars and unparsed bytes are no objects to take fields from."""
    judged = inspect(read_query(QUERY), Parsed(value), "current")

    assert places(judged) == [("model_attributes_type", ["body"])]


def test_an_infinite_time_is_fatal() -> None:
    """Infinity cannot be rounded up, and nobody catches that."""
    body = Parsed(call_saying(start_ms=float("inf")))

    assert inspect(read_query(QUERY), body, "current") == Fatal()


def test_a_time_that_is_no_number_is_a_problem_of_its_row() -> None:
    """NaN cannot be rounded up either, but that is told as a problem."""
    judged = inspect(read_query(QUERY), Parsed(call_saying(start_ms=float("nan"))), "current")

    assert places(judged) == [("value_error", ["body", ROWS, 0])]
