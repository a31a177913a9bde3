"""Tuner's Create Call reference in its strictest reading, written apart from all other code."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

TRANSCRIPT = "transcript_with_tool_calls"
Natural = Annotated[int, Field(ge=0)]
Free = dict[str, Any]


class Exact(BaseModel):
    """Take a value only as what it is, and keep what is not described."""

    model_config = ConfigDict(strict=True, extra="allow")


class Word(Exact):
    """A spoken word."""

    word: str
    start_ms: Natural
    end_ms: Natural


class Node(Exact):
    """A step in the agent's script."""

    origin: str = Field(alias="from")
    to: str


class Tool(Exact):
    """A tool and what was done with it."""

    name: str
    request_id: str
    params: Free = {}
    result: Free = {}
    is_error: bool = False
    error: str = ""


class Row(Exact):
    """A row of the transcript."""

    role: Literal["user", "agent", "agent_function", "agent_result", "node_transition"]
    text: str = ""
    words: list[Word] = []
    start_ms: Natural | None = None
    end_ms: Natural | None = None
    duration_ms: Natural | None = None
    metadata: Free = {}
    node: Node | None = None
    tool: Tool | None = None

    @model_validator(mode="after")
    def is_timed(self) -> Self:
        """Refuse speech of which nobody knows when it was."""
        ends = self.end_ms is not None or self.duration_ms is not None
        if (
            self.role in ("user", "agent")
            and not self.words
            and (self.start_ms is None or not ends)
        ):
            raise ValueError("no times")
        return self


class Call(Exact):
    """Tuner's Create Call reference in its strictest reading, written down a second time."""

    call_id: str = Field(min_length=1, max_length=200)
    call_type: str = Field(min_length=1, max_length=100)
    start_timestamp: Natural
    end_timestamp: Natural
    recording_url: str = Field(min_length=1, max_length=1024)
    transcript_with_tool_calls: list[Row] = Field(min_length=1)
    duration_ms: Natural = 0
    call_status: str = Field("", max_length=100)
    disconnection_reason: str = Field("", max_length=100)
    caller_phone_number: str = Field("", max_length=50)
    user_sentiment: Literal["positive", "neutral", "negative", "unknown"] = "unknown"
    call_successful: bool = False
    in_voicemail: bool = False
    call_cost: float = 0
    agent_version: Natural = 0
    collected_dynamic_variables: Free = {}
    call_analysis: Free = {}
    metadata: Free = {}
    general_meta_data_raw: Free = {}


def faults(call: object) -> list[tuple[str, str]]:
    """List the places and kinds of what is wrong with *call*."""
    try:
        Call.model_validate(call)
    except ValidationError as error:
        return [
            (".".join(part for part in fault["loc"] if isinstance(part, str)), fault["type"])
            for fault in error.errors()
        ]
    return []


def parse(value: bytes) -> Any:
    """Read JSON strictly: no NaN, no half of a character."""
    text = value.decode("utf-8")

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    parsed = json.loads(text, parse_constant=refuse)
    json.dumps(parsed, ensure_ascii=False).encode()
    return parsed
