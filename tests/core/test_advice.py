"""What is odd is said, with its place; what is ordinary is not."""

import pytest
from builders import ABSENT, body, row

from ingestor.core.advice import advice
from ingestor.core.problem import Problem


def advised(**changes: object) -> list[str]:
    """Give the advice about a body with *changes*."""
    return [str(problem) for problem in advice(body(**changes))]


def test_an_ordinary_call_needs_no_advice() -> None:
    """A publisher who does everything right is left alone."""
    assert advised(user_sentiment="neutral", agent_version=3, call_cost=1.5) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"start_timestamp": 1_781_108_000, "end_timestamp": 1_781_107_000},
            "end_timestamp: is before start_timestamp",
            id="a call that ends before it starts",
        ),
        pytest.param(
            {"start_timestamp": 1_781_108_000, "end_timestamp": 1_781_108_062_000},
            "end_timestamp: is in another unit than start_timestamp (seconds and milliseconds)",
            id="seconds beside milliseconds",
        ),
        pytest.param(
            {"user_sentiment": "delighted"},
            "user_sentiment: is not one of positive, neutral, negative, unknown",
            id="a sentiment that Tuner does not list",
        ),
        pytest.param(
            {"recording_url": "pending"},
            "recording_url: is a placeholder: Tuner has nothing to play",
            id="the placeholder of Tuner's own SDKs",
        ),
        pytest.param(
            {"recording_url": " "},
            "recording_url: is a placeholder: Tuner has nothing to play",
            id="a blank recording",
        ),
        pytest.param(
            {"agent_version": "v2"},
            "agent_version: should be a whole number from 0 on",
            id="a version that is a word",
        ),
        pytest.param(
            {"agent_version": True},
            "agent_version: should be a whole number from 0 on",
            id="a version that is a truth",
        ),
        pytest.param(
            {"transcript_with_tool_calls": [row(), row(start_ms=900, end_ms=100)]},
            "transcript_with_tool_calls[1].end_ms: is before start_ms",
            id="a row that ends before it starts",
        ),
        pytest.param(
            {
                "transcript_with_tool_calls": [
                    row(start_ms=1_781_108_000_000, end_ms=ABSENT, words=[{}])
                ]
            },
            "transcript_with_tool_calls[0].start_ms: looks like a date: it counts from the start "
            "of the call",
            id="a row with a date for a time",
        ),
        pytest.param(
            {"transcript_with_tool_calls": [row(text=ABSENT, content="Hello")]},
            "transcript_with_tool_calls[0].content: is the older name of text: newer Tuners leave "
            "the text empty",
            id="a row with the older name of its text",
        ),
        pytest.param(
            {"transcript_with_tool_calls": [row(role="node_transition", node={"to": "greet"})]},
            "transcript_with_tool_calls[0].node.from: should be a name, such as start for the "
            "first node",
            id="a first node that comes from nowhere",
        ),
    ],
)
def test_an_oddity_is_said_with_its_place(changes: dict[str, object], expected: str) -> None:
    """What Tuner accepts may still not be what was meant."""
    assert advised(**changes) == [expected]


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"transcript_with_tool_calls": 7},
        {"transcript_with_tool_calls": [None, 1]},
        {"start_timestamp": "x"},
    ],
)
def test_whatever_it_is_asked_about_it_answers(strange: dict[str, object]) -> None:
    """Advice is no validation: what is not there is not advised upon."""
    found: list[Problem] = list(advice(strange))

    assert found == []
