"""What each generation of the reference takes."""

from typing import Any

import pytest
from devkit.fake_tuner.practice import ROWS, call, call_saying, call_with
from pydantic import ValidationError

from ingestor.devkit.fake_tuner.model import MODELS
from ingestor.devkit.fake_tuner.normal_form import normalise
from ingestor.devkit.fake_tuner.options import Profile


def stored(body: dict[str, Any], profile: Profile = "current") -> dict[str, Any]:
    return normalise(MODELS[profile].validate_python(body))


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("end_timestamp", 1781108062000.0, 1781108062000),
        ("end_timestamp", "1781108062000", 1781108062000),
        ("duration_ms", True, 1),
        ("call_cost", "1.5", 1.5),
        ("call_cost", -1, -1.0),
        ("call_successful", "true", True),
        ("in_voicemail", 0, False),
        ("collected_dynamic_variables", {"a": [1]}, {"a": [1]}),
        ("user_sentiment", "Ecstatic", "Ecstatic"),
        ("recording_url", " ", " "),
        ("agent_version", 12.0, 12),
    ],
)
def test_values_are_coerced_as_pydantic_does(name: str, sent: object, kept: object) -> None:
    """Numbers and booleans may come as text, and free text is free."""
    assert stored(call(**{name: sent}))[name] == kept


@pytest.mark.parametrize(
    ("name", "sent", "problem"),
    [
        ("call_successful", "success", "bool_parsing"),
        ("call_cost", "abc", "float_parsing"),
        ("collected_dynamic_variables", [], "dict_type"),
        ("call_analysis", "{}", "dict_type"),
        ("metadata", [], "dict_type"),
        ("sip_headers", {"a": 1}, "string_type"),
        ("call_status", "x" * 101, "string_too_long"),
        ("disconnection_reason", "x" * 101, "string_too_long"),
        ("caller_phone_number", "x" * 51, "string_too_long"),
        ("user_sentiment", "x" * 51, "string_too_long"),
        ("recording_multi_channel_url", "x" * 1025, "string_too_long"),
        ("call_type", "x" * 101, "string_too_long"),
        ("call_type", None, "string_type"),
        (ROWS, {}, "list_type"),
    ],
)
def test_values_that_no_coercion_saves(name: str, sent: object, problem: str) -> None:
    """Wrong types and over-long texts are refused by name."""
    with pytest.raises(ValidationError) as caught:
        stored(call(**{name: sent}))

    assert [(p["type"], p["loc"][0]) for p in caught.value.errors()] == [(problem, name)]


OPTIONAL = (
    "transcript",
    "duration_ms",
    "call_status",
    "disconnection_reason",
    "caller_phone_number",
    "call_successful",
    "user_sentiment",
    "in_voicemail",
    "collected_dynamic_variables",
    "call_cost",
    "call_analysis",
    "metadata",
    "general_meta_data_raw",
    "recording_multi_channel_url",
    "agent_version",
    "sip_call_id",
    "recipient",
    "sip_headers",
    "llm_trace",
    "recording_file_extension",
    "recording_s3_multi_channel",
    "recording_s3_caller_channel",
)


def test_every_optional_field_may_be_null() -> None:
    """Null is as good as absent for every optional field of the call."""
    nulls = call(**dict.fromkeys(OPTIONAL))

    assert stored(nulls) == stored(call())


def test_fields_the_older_reference_does_not_know_are_dropped() -> None:
    """Under strict-feb the newer fields are unknown keys, of any shape."""
    body = call(agent_version="v2", metadata=[], sip_call_id=7)

    assert not {"agent_version", "metadata", "sip_call_id"} & stored(body, "strict-feb").keys()


@pytest.mark.parametrize(
    ("node", "kept"),
    [
        ({"from": "a", "to": "b", "x": 1}, {"from": "a", "to": "b", "reason": None}),
        ({"from_node": "a", "to": "b"}, {"from": "a", "to": "b", "reason": None}),
        ({"to": "b", "reason": "r"}, {"from": None, "to": "b", "reason": "r"}),
        (None, None),
    ],
)
def test_a_node_may_come_from_nowhere(node: object, kept: object) -> None:
    """from may be null or absent today; keys a node does not know are dropped."""
    assert stored(call_with(role="node_transition", node=node))[ROWS][0]["node"] == kept


def test_a_node_once_had_to_come_from_somewhere() -> None:
    """Under strict-feb a node without from is refused."""
    with pytest.raises(ValidationError, match="from"):
        stored(call_with(role="node_transition", node={"to": "b"}), "strict-feb")


def test_a_tool_has_its_time_in_the_newer_reference_only() -> None:
    """start_ms of a tool is rounded up and kept, or dropped under strict-feb."""
    body = call_with(role="agent_function", tool={"name": "find", "start_ms": 1.5, "x": 1})

    assert stored(body)[ROWS][0]["tool"]["start_ms"] == 2
    assert "x" not in stored(body)[ROWS][0]["tool"]
    assert "start_ms" not in stored(body, "strict-feb")[ROWS][0]["tool"]


def test_tool_rows_need_neither_timing_nor_tool() -> None:
    """Only who speaks must be timed."""
    for role in ("agent_function", "agent_result", "node_transition"):
        assert stored(call_with(role=role))[ROWS][0]["role"] == role


def test_negative_and_crossed_times_are_nobodys_business() -> None:
    """Nothing checks that times are positive or in order."""
    row = stored(call_saying(start_ms=5, end_ms=-5))[ROWS][0]

    assert (row["start_ms"], row["end_ms"]) == (5, -5)


def test_words_keep_what_they_know() -> None:
    """Words round their times up, keep their confidence, and drop other keys."""
    word = {"word": "My", "start_ms": 0.1, "end_ms": 2, "confidence": "0.5", "x": 1}

    assert stored(call_with(role="user", words=[word]))[ROWS][0]["words"] == [
        {"word": "My", "start_ms": 1, "end_ms": 2, "confidence": 0.5}
    ]


def test_any_role_is_legacy() -> None:
    """Under legacy any text is a role; a number still is none."""
    assert stored(call_with(role="robot"), "legacy")[ROWS][0]["role"] == "robot"
    with pytest.raises(ValidationError, match="role"):
        stored(call_with(role=5), "legacy")
