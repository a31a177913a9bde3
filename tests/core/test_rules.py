"""What Tuner certainly refuses in a parsed body."""

import json
from typing import Any

from builders import ABSENT, body, row
from core.strategies import REFERENCE, many, mutated
from core.tables import table
from core.tuner_model import is_accepted
from hypothesis import given

from ingestor.core.problem import Problem
from ingestor.core.rules import OLD, RECORDING, TIMING, is_old, problems

WHOLE = ["start_timestamp", "end_timestamp", "duration_ms"]
TRUTH = ["call_successful", "in_voicemail"]
OBJECT = ["collected_dynamic_variables", "call_analysis", "general_meta_data_raw"]
INFINITY = float("inf")


def found(parsed: object, *, old_rows: bool = False) -> list[str]:
    """List the problems of a body in words."""
    return [str(problem) for problem in problems(parsed, old_rows=old_rows)]


def tuner_accepts(parsed: object) -> bool:
    """Ask the model of Tuner."""
    return is_accepted(json.dumps(parsed).encode())


def test_the_reference_body_breaks_no_rule() -> None:
    """What clients are advised to send is good."""
    assert found(json.loads(REFERENCE)) == []


GOOD: dict[str, tuple[list[str], list[object]]] = {
    "whole numbers": (WHOLE, [0, -1, 12, 12.0, 1e15, "12", " 12 ", "-12", "+12", "12.0", "1_0"]),
    "booleans as whole numbers": (WHOLE, [True, False]),
    "numbers": (["call_cost"], [0, -1, 10.2, "1.5", "-1e3", True, "nan", INFINITY]),
    "truth values": (TRUTH, [True, False, 0, 1, 0.0, 1.0]),
    "truth values in words": (
        TRUTH,
        ["true", "FALSE", "t", "F", "yes", "No", "y", "n", "on", "OFF", "1", "0"],
    ),
    "objects": (OBJECT, [{}, {"any": ["thing", {"at": "all"}]}]),
    "null for what is optional": (["duration_ms", "call_cost", *TRUTH, *OBJECT], [None]),
    "fields without rules": (
        ["llm_trace", "recipients", "workspace_id", "anything"],
        [None, "v2", -1, [], {}],
    ),
}
BAD: dict[str, tuple[list[str], list[object], str]] = {
    "fractions": (WHOLE, [12.5, "12.5", INFINITY], "must be a whole number"),
    "dates": (WHOLE, ["2026-01-17T10:00:00Z"], "must be a whole number"),
    "no numbers": (WHOLE, ["", "abc", "0x1", "1__0", "\u00b2", [], {}], "must be a whole number"),
    "what is no number": (["call_cost"], ["", "abc", "1,5", [], {}], "must be a number"),
    "results in words": (TRUTH, ["success", "failure", "unknown"], "must be true or false"),
    "other numbers": (TRUTH, [2, -1, 0.5, INFINITY, "1.0", "2"], "must be true or false"),
    "no truth": (TRUTH, ["", [], {}], "must be true or false"),
    "arrays and strings for objects": (OBJECT, [[], "{}", 5, True], "must be an object"),
}


@table("fields, values", GOOD)
def test_values_are_coerced_as_tuner_coerces_them(fields: list[str], values: list[object]) -> None:
    """A number in a string is a number to Tuner; whatever it may take is not refused here."""
    for field in fields:
        for value in values:
            assert found(body(**{field: value})) == [], (field, value)
            assert tuner_accepts(body(**{field: value})), (field, value)


@table("fields, values, rule", BAD)
def test_values_that_cannot_be_coerced_are_named(
    fields: list[str], values: list[object], rule: str
) -> None:
    """By place and rule; Tuner refuses each of them as well."""
    for field in fields:
        for value in values:
            assert found(body(**{field: value})) == [f"{field}: {rule}"], (field, value)
            assert not tuner_accepts(body(**{field: value})), (field, value)


@table(
    "field, least, most",
    {
        "call_id": ("call_id", 1, 200),
        "call_type": ("call_type", 1, 100),
        "recording_url": ("recording_url", 1, 1024),
        "call_status": ("call_status", 0, 100),
        "disconnection_reason": ("disconnection_reason", 0, 100),
        "caller_phone_number": ("caller_phone_number", 0, 50),
        "user_sentiment": ("user_sentiment", 0, 50),
        "recording_multi_channel_url": ("recording_multi_channel_url", 0, 1024),
    },
)
def test_strings_have_limits_in_characters(field: str, least: int, most: int) -> None:
    """The limits are Tuner's own; a character outside the first plane is one."""
    limits = f"{least} to {most}" if least else f"at most {most}"
    rule = f"{field}: must be a string of {limits} characters"
    for length in (least, most):
        good = body(**{field: "\U0001f600" * length})
        assert found(good) == []
        assert tuner_accepts(good)
    long = body(**{field: "x" * (most + 1)})
    assert found(long) == [f"{rule}, is {most + 1} long"]
    assert not tuner_accepts(long)
    for value in [5, True, [], {}] + [""] * least:
        assert found(body(**{field: value})) == [rule]
        assert not tuner_accepts(body(**{field: value}))


def test_a_transcript_in_one_string_has_no_limit() -> None:
    """A long call is a long text."""
    assert found(body(transcript="x" * 10**6)) == []
    assert found(body(transcript=[])) == ["transcript: must be a string"]


def test_a_recording_may_be_a_placeholder() -> None:
    """Clients in production send words, and even a space."""
    for placeholder in ("pending", "pipecat://no-recording", " "):
        assert found(body(recording_url=placeholder)) == []


@table("value", {"left out": ABSENT, "null": None})
def test_six_fields_are_required(value: object) -> None:
    """All that is missing is told at once."""
    required = [
        "call_id",
        "call_type",
        "recording_url",
        "start_timestamp",
        "end_timestamp",
        "transcript_with_tool_calls",
    ]
    empty = body(**dict.fromkeys(required, value))

    rules = [RECORDING if name == "recording_url" else "is required" for name in required]
    assert found(empty) == [f"{name}: {rule}" for name, rule in zip(required, rules, strict=True)]
    for name in required:
        assert not tuner_accepts(body(**{name: value}))


@table("value", {"null": None, "an array": [], "a string": "{}", "a number": 5})
def test_a_body_is_an_object(value: object) -> None:
    """Anything else is one problem, of the event as a whole."""
    assert list(problems(value, old_rows=True)) == [Problem("", "must be a JSON object")]


def rows(*rows: object) -> dict[str, Any]:
    return body(transcript_with_tool_calls=list(rows))


@table(
    "parsed, rule",
    {
        "a string": (body(transcript_with_tool_calls="[]"), "must be an array"),
        "an object": (body(transcript_with_tool_calls={"0": row()}), "must be an array"),
        "no rows": (rows(), "must have at least one row"),
    },
)
def test_a_transcript_has_rows(parsed: dict[str, Any], rule: str) -> None:
    """At least one."""
    assert found(parsed) == [f"transcript_with_tool_calls: {rule}"]
    assert not tuner_accepts(parsed)


ROLES = "must be one of user, agent, agent_function, agent_result, node_transition"
MILLISECONDS = "must be a number of milliseconds"
WORD = {"word": "a", "start_ms": 1, "end_ms": 2}


@table(
    "bad, problem",
    {
        "no object": ("x", ": must be an object"),
        "null": (None, ": must be an object"),
        "no role": (row(role=ABSENT), ".role: is required"),
        "a role of null": (row(role=None), ".role: is required"),
        "an older role": (row(role="assistant"), f".role: {ROLES}"),
        "a role that is no string": (row(role=["user"]), f".role: {ROLES}"),
        "a text that is no string": (row(text=5), ".text: must be a string"),
        "a time that is no number": (row(start_ms="soon"), f".start_ms: {MILLISECONDS}"),
        "a fraction in a string": (row(end_ms="1.5"), f".end_ms: {MILLISECONDS}"),
        "an infinite time": (row(duration_ms=INFINITY), f".duration_ms: {MILLISECONDS}"),
        "metadata of null": (
            row(metadata=None),
            ".metadata: must be an object; leave it out rather than null",
        ),
        "metadata in a string": (
            row(metadata="{}"),
            ".metadata: must be an object; leave it out rather than null",
        ),
        "words that are no array": (row(words={}), ".words: must be an array"),
        "a word that is no object": (row(words=["a"]), ".words[0]: must be an object"),
        "a word without an end": (
            row(words=[WORD, {"word": "a", "start_ms": 1}]),
            ".words[1].end_ms: is required",
        ),
        "a word with a start of null": (
            row(words=[WORD | {"start_ms": None}]),
            ".words[0].start_ms: is required",
        ),
        "a word that is no string": (
            row(words=[WORD | {"word": 5}]),
            ".words[0].word: must be a string",
        ),
        "a confidence in words": (
            row(words=[WORD | {"confidence": "high"}]),
            ".words[0].confidence: must be a number",
        ),
        "a word at no time": (
            row(words=[WORD | {"start_ms": "x"}]),
            f".words[0].start_ms: {MILLISECONDS}",
        ),
        "a word without a time to end": (
            row(words=[WORD | {"end_ms": "x"}]),
            f".words[0].end_ms: {MILLISECONDS}",
        ),
        "a tool that is no object": (row(tool="get"), ".tool: must be an object"),
        "parameters in a string": (row(tool={"params": "{}"}), ".tool.params: must be an object"),
        "a result in an array": (row(tool={"result": []}), ".tool.result: must be an object"),
        "an error flag in words": (
            row(tool={"is_error": "no idea"}),
            ".tool.is_error: must be true or false",
        ),
        "a tool's number": (row(tool={"request_id": 7}), ".tool.request_id: must be a string"),
        "a tool's name": (row(tool={"name": 7}), ".tool.name: must be a string"),
        "a tool's error": (row(tool={"error": {}}), ".tool.error: must be a string"),
        "a node that leads to a number": (
            row(node={"from": "a", "to": 1}),
            ".node.to: must be a string",
        ),
        "a node for no reason": (
            row(node={"from": "a", "to": "b", "reason": []}),
            ".node.reason: must be a string",
        ),
        "a node that is no object": (row(node="greet"), ".node: must be an object"),
        "a node that comes from a number": (
            row(node={"from": 1, "to": "b"}),
            ".node.from: must be a string",
        ),
    },
)
def test_a_bad_row_is_named_with_its_place(bad: object, problem: str) -> None:
    """One of them is enough to make Tuner refuse the call."""
    assert found(rows(row(), bad)) == [f"transcript_with_tool_calls[1]{problem}"]
    assert not tuner_accepts(rows(row(), bad))


@table(
    "good",
    {
        "a role alone, of a tool": {"role": "agent_function"},
        "fractions of a millisecond": row(start_ms=1.0001, end_ms=2.5),
        "times below zero, and an end before the start": row(start_ms=-5, end_ms=-10),
        "times in strings": row(start_ms="1", end_ms="2.0"),
        "no text": row(text=None),
        "an empty text": row(text=""),
        "unknown keys": row(content="x", speaker={"a": [1]}),
        "a word with fractions": row(words=[WORD | {"start_ms": 1.5, "confidence": None}]),
        "a tool with nothing in it": row(role="agent_result", tool={}),
        "null for tool, node and words": row(tool=None, node=None, words=None),
        "the first node": row(role="node_transition", node={"from": None, "to": "greet"}),
        "null within metadata": row(metadata={"e2e_latency": None}),
    },
)
def test_a_good_row_is_left_alone(good: object) -> None:
    """Also where it is odd: what Tuner takes is its own affair."""
    assert found(rows(good)) == []
    assert tuner_accepts(rows(good))


@table(
    "good",
    {
        "a node that leads nowhere": row(node={"from": "a"}),
        "a word without a word": row(words=[{"start_ms": 1, "end_ms": 2}]),
        "a word of null": row(words=[WORD | {"word": None}]),
    },
)
def test_where_the_generations_may_differ_tuner_decides(good: object) -> None:
    """The first published rules refuse these; which ones are in force nobody outside knows."""
    assert found(rows(good)) == []


@table(
    "times, is_timed",
    {
        "words alone": ({"words": [WORD]}, True),
        "a start and an end": ({"start_ms": 0, "end_ms": 0}, True),
        "a start and a duration": ({"start_ms": 0, "duration_ms": 5}, True),
        "a start alone": ({"start_ms": 0}, False),
        "a duration alone": ({"duration_ms": 5}, False),
        "an end and a duration": ({"end_ms": 9, "duration_ms": 5}, False),
        "no words": ({"words": []}, False),
        "null for the end": ({"start_ms": 0, "end_ms": None}, False),
        "nothing": ({}, False),
    },
)
def test_speech_says_when_it_was_spoken(times: dict[str, Any], *, is_timed: bool) -> None:
    """Tools and moves need not."""
    for role in ("user", "agent"):
        spoken = rows({"role": role} | times)
        assert found(spoken) == ([] if is_timed else [f"transcript_with_tool_calls[0]: {TIMING}"])
        assert tuner_accepts(spoken) is is_timed
    for role in ("agent_function", "agent_result", "node_transition"):
        assert found(rows({"role": role} | times)) == []


@table(
    "older, expected",
    {
        "a role and its words": ({"role": "user", "content": "hi"}, True),
        "of any role": ({"role": "assistant", "content": "hi"}, True),
        "without a role": ({"content": "hi"}, True),
        "empty words": ({"role": "user", "content": ""}, True),
        "a text of null beside it": ({"content": "hi", "text": None}, True),
        "half a time": ({"content": "hi", "start_ms": 1}, True),
        "both generations at once": ({"content": "hi", "text": "hi"}, False),
        "with times": ({"content": "hi", "start_ms": 1, "end_ms": 2}, False),
        "with words": ({"content": "hi", "words": [WORD]}, False),
        "content that is no string": ({"role": "user", "content": ["hi"]}, False),
        "no content": ({"role": "user"}, False),
        "no object": ("hi", False),
    },
)
def test_the_older_form_of_a_row_is_known(older: object, *, expected: bool) -> None:
    """`{role, content}`, and nothing that says when it was spoken."""
    assert is_old(older) is expected


def test_older_rows_are_left_to_tuner_when_they_may_pass() -> None:
    """Its first generation took them; everything else is checked as ever."""
    older = rows({"role": "assistant", "content": "hi"}, {"role": "user", "content": "hi"}, row())

    assert found(older, old_rows=True) == []
    assert found(older) == [
        f"transcript_with_tool_calls[0].role: {ROLES}",
        f"transcript_with_tool_calls[1]: {OLD}",
    ]
    assert found(rows({"content": 5}), old_rows=True) == [
        "transcript_with_tool_calls[0].role: is required"
    ]


@many
@given(mutated())
def test_only_what_both_generations_refuse_is_refused(parsed: object) -> None:
    """In doubt, Tuner decides: a call wrongly refused is one that somebody has to rescue."""
    if found(parsed, old_rows=True):
        assert not tuner_accepts(parsed)
