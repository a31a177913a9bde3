"""Sample bodies are valid, varied, of the size that was asked for, and the same each time."""

import re
from typing import Any, get_args

import pytest
from devkit.reference import TRANSCRIPT, Row, faults, parse

from ingestor.devkit.sample_bodies import body


@pytest.fixture(scope="module")
def calls() -> list[Any]:
    """Enough calls for everything rare to happen."""
    return [parse(body(f"call-{number}", size=6_000)) for number in range(400)]


@pytest.mark.parametrize("size", [2_000, 4_000, 30_000, 300_000])
def test_a_body_has_the_size_that_was_asked_for(size: int) -> None:
    """Load is counted in bytes, too."""
    sizes = [len(body(f"call-{number}", size=size)) for number in range(20)]

    assert max(sizes) <= size
    assert min(sizes) > size - 500


def test_a_body_is_the_same_for_the_same_call() -> None:
    """A retry of a load test sends what it sent before, and a tiny body still says something."""
    small = body("call-1", size=1)

    assert parse(small)["call_id"] == "call-1"
    assert len(small) < 1_500
    assert body("call-1") == body("call-1")
    assert body("call-1") != body("call-1", seed=1)
    assert body("call-1") != body("call-2")


def test_every_body_is_valid(calls: list[Any]) -> None:
    """All rules of Tuner's reference are kept, however small the body."""
    small = [parse(body(f"call-{number}", size=1)) for number in range(100)]

    assert [found for call in calls + small if (found := faults(call))] == []


def test_times_fit_together(calls: list[Any]) -> None:
    """Rows follow one another within the call, and the two timestamps have one unit."""
    for call in calls:
        unit = 1000 if call["start_timestamp"] < 10**10 else 1
        length = (call["end_timestamp"] - call["start_timestamp"]) * unit
        last = 0
        for row in call[TRANSCRIPT]:
            words = row.get("words") or [row]
            start = words[0]["start_ms"]
            assert start >= last
            last = words[-1].get("end_ms", start + words[-1].get("duration_ms", 0))
        assert last < length
        assert 0 <= length - call["duration_ms"] < 1000


def test_calls_differ_as_platforms_do(calls: list[Any]) -> None:
    """All that Tuner's reference describes occurs, and some that it does not."""
    rows = [row for call in calls for row in call[TRANSCRIPT]]
    spoken = [row for row in rows if row["role"] in ("user", "agent")]
    tools = [row["tool"] for row in rows if row["role"] == "agent_result"]

    assert {call["start_timestamp"] < 10**10 for call in calls} == {True, False}
    assert {call["call_type"] for call in calls} == {"phone_call", "web_call"}
    assert {row["role"] for row in rows} == set(get_args(Row.model_fields["role"].annotation))
    for optional in ("words", "end_ms", "duration_ms", "metadata", "content", "channel"):
        assert 0 < sum(optional in row for row in spoken) < len(spoken)
    assert {tool["is_error"] for tool in tools} == {True, False}
    for optional in ("metadata", "call_analysis", "agent_version", "platform", "queue_seconds"):
        assert 0 < sum(optional in call for call in calls) < len(calls)


def test_conversations_read_as_such(calls: list[Any]) -> None:
    """Nobody finds an unfilled blank, and people take turns."""
    for call in calls:
        spoken = [row for row in call[TRANSCRIPT] if row["role"] in ("user", "agent")]
        assert not any(re.search("[{}]", row["text"]) for row in spoken)
        assert [row["role"] for row in spoken] == [
            ("agent", "user")[place % 2] for place in range(len(spoken))
        ]


def test_a_long_call_comes_to_another_matter() -> None:
    """It does not say the same thing over and over."""
    rows = parse(body("call-1", size=30_000))[TRANSCRIPT]
    texts = [row["text"] for row in rows if "text" in row]

    assert sum("one more thing" in text for text in texts) >= 3
    assert len(set(texts)) > len(texts) / 2
