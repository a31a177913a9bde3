"""Acceptance cases that are one request and one answer each, by number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devkit.fake_tuner.practice import (
    DEMO,
    JSON,
    QUERY,
    ROWS,
    call,
    call_saying,
    call_with,
    call_without,
)

from ingestor.devkit.fake_tuner import Options

REQUIRED = (
    "call_id",
    "call_type",
    ROWS,
    "start_timestamp",
    "end_timestamp",
    "recording_url",
)
Problem = tuple[str, list[str | int]]


@dataclass(frozen=True)
class Case:
    """One request and what must come of it; *stored* names what the stored call must hold."""

    name: str
    status: int
    body: dict[str, Any] | bytes = field(default_factory=call)
    options: Options = field(default_factory=Options)
    query: str = QUERY
    headers: Mapping[str, str] = field(default_factory=lambda: {**DEMO, **JSON})
    problems: tuple[Problem, ...] = ()
    stored: Mapping[str, Any] = field(default_factory=dict)


def refused(name: str, body: dict[str, Any], *problem: Any, **more: Any) -> Case:
    """Expect one problem: its type, then its place within the body."""
    kind, *loc = problem
    return Case(name, 422, body, problems=((kind, ["body", *loc]),), **more)


def accepted(name: str, body: dict[str, Any], **more: Any) -> Case:
    """Expect the call to be stored."""
    return Case(name, 201, body, **more)


WORD = {"word": "My", "start_ms": 2100}
STRICT = Options(profile="strict-feb")
LEGACY = Options(profile="legacy")
FIRST_NODE = call_with(role="node_transition", node={"from": None, "to": "greet"})
ISO = "2026-01-17T10:00:00Z"
CASES = (
    Case("05-no-credentials", 401, headers=JSON),
    Case("06-x-api-key", 201, headers={"X-API-Key": "demo-key", **JSON}),
    Case(
        "06-x-api-key-where-only-bearer-counts",
        401,
        headers={"X-API-Key": "demo-key", **JSON},
        options=Options(auth="bearer"),
    ),
    Case("07-wrong-key-goes-before-the-body", 401, {}, headers={"X-API-Key": "no", **JSON}),
    Case(
        "08-broken-json-goes-before-the-key",
        422,
        b"{",
        headers=JSON,
        problems=(("json_invalid", ["body", 1]),),
    ),
    Case("09-key-of-another-workspace", 403, options=Options(keys={"demo-key": frozenset({2})})),
    Case("10-unknown-agent", 404, options=Options(agents=frozenset({"a2"}))),
    Case(
        "10-unknown-agent-as-400",
        400,
        options=Options(agents=frozenset({"a2"}), unknown_agent=400),
    ),
    Case(
        "11-no-query",
        422,
        query="",
        problems=(
            ("missing", ["query", "workspace_id"]),
            ("missing", ["query", "agent_remote_identifier"]),
        ),
    ),
    Case(
        "12-workspace-is-no-number",
        422,
        query="workspace_id=abc&agent_remote_identifier=a1",
        problems=(("int_parsing", ["query", "workspace_id"]),),
    ),
    Case(
        "13-empty-object",
        422,
        {},
        problems=tuple(("missing", ["body", name]) for name in REQUIRED),
    ),
    refused("15-start-only", call_with(role="user", start_ms=1), "value_error", ROWS, 0),
    refused("16-duration-only", call_with(role="user", duration_ms=1), "value_error", ROWS, 0),
    refused(
        "16-end-and-duration",
        call_with(role="user", end_ms=1, duration_ms=1),
        "value_error",
        ROWS,
        0,
    ),
    refused("16-no-words", call_with(role="user", words=[]), "value_error", ROWS, 0),
    refused(
        "19-a-word-without-end",
        call_with(role="user", words=[WORD]),
        *("missing", ROWS, 0, "words", 0, "end_ms"),
    ),
    accepted("19-words-alone", call_with(role="user", words=[{**WORD, "end_ms": 2300}])),
    refused("20-unknown-role", call_saying(role="assistant"), "literal_error", ROWS, 0, "role"),
    refused("21-untimed-content", call_with(role="user", content="hi"), "value_error", ROWS, 0),
    accepted(
        "21-untimed-content-under-legacy", call_with(role="user", content="hi"), options=LEGACY
    ),
    refused(
        "22-tool-params-in-a-string",
        call_with(role="agent_function", tool={"params": "{}"}),
        *("dict_type", ROWS, 0, "tool", "params"),
    ),
    refused("22-metadata-null", call_saying(metadata=None), "dict_type", ROWS, 0, "metadata"),
    refused("23-recording-null", call(recording_url=None), "string_type", "recording_url"),
    refused("23-recording-empty", call(recording_url=""), "string_too_short", "recording_url"),
    accepted("23-recording-pending", call(recording_url="pending")),
    refused(
        "23-recording-long", call(recording_url="x" * 1025), "string_too_long", "recording_url"
    ),
    refused("23-no-recording", call_without("recording_url"), "missing", "recording_url"),
    accepted("24-call-id-of-200", call(call_id="x" * 200)),
    refused("24-call-id-of-201", call(call_id="x" * 201), "string_too_long", "call_id"),
    refused("24-call-id-a-number", call(call_id=7), "string_type", "call_id"),
    refused("25-start-iso", call(start_timestamp=ISO), "int_parsing", "start_timestamp"),
    refused(
        "25-start-half-a-second",
        call(start_timestamp=1705392000.5),
        *("int_from_float", "start_timestamp"),
    ),
    accepted(
        "25-start-in-seconds",
        call(start_timestamp=1705392000),
        stored={"start_timestamp": 1705392000000},
    ),
    accepted(
        "25-start-in-milliseconds",
        call(start_timestamp=1705392000000),
        stored={"start_timestamp": 1705392000000},
    ),
    refused("27-version-negative", call(agent_version=-1), "greater_than_equal", "agent_version"),
    refused("27-version-a-name", call(agent_version="v2"), "int_parsing", "agent_version"),
    accepted("27-version-in-a-string", call(agent_version="7"), stored={"agent_version": 7}),
    accepted("28-from-nowhere", FIRST_NODE),
    refused(
        "28-from-nowhere-under-strict-feb",
        FIRST_NODE,
        *("string_type", ROWS, 0, "node", "from"),
        options=STRICT,
    ),
)
