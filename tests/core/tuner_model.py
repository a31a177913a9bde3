"""Tuner's Create Call as its public models describe it, written a second time and apart from the
service: what a stock FastAPI server in front of them accepts.

Two generations: the models as first published with timed segments, and today's, with `node.from`
nullable and the newer fields. Where the public text leaves a choice, the more generous one is
taken: a test may then say "both refuse", and mean it.
"""

import json
import math
import re
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FreeForm = dict[str, Any]


class Timed(BaseModel):
    """Whatever has times: fractions of a millisecond are rounded up before validation."""

    @model_validator(mode="before")
    @classmethod
    def _round_up(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        times = {name: fields.get(name) for name in ("start_ms", "end_ms", "duration_ms")}
        return fields | {
            name: math.ceil(time) for name, time in times.items() if isinstance(time, float)
        }


class Word(Timed):
    """One spoken word."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


class NodeOfFebruary(BaseModel):
    """A step between nodes, never from nowhere."""

    from_node: str = Field(alias="from")
    to: str
    reason: str | None = None


class NodeOfToday(BaseModel):
    """A step between nodes, the first one from nowhere."""

    from_node: str | None = Field(default=None, alias="from")
    to: str
    reason: str | None = None


class Tool(BaseModel):
    """A tool's call or its result."""

    name: str | None = None
    request_id: str | None = None
    params: FreeForm | None = None
    result: FreeForm | None = None
    is_error: bool | None = None
    error: str | None = None


Node = TypeVar("Node", NodeOfFebruary, NodeOfToday)


class Segment(Timed, Generic[Node]):
    """One row of the transcript."""

    model_config = ConfigDict(extra="allow")

    role: Literal["user", "agent", "agent_function", "agent_result", "node_transition"]
    text: str | None = None
    words: list[Word] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    duration_ms: int | None = None
    node: Node | None = None
    tool: Tool | None = None
    metadata: FreeForm = Field(default_factory=dict)

    @model_validator(mode="after")
    def _needs_timing(self) -> Self:
        if self.role not in ("user", "agent") or self.words:
            return self
        if self.start_ms is not None and (self.end_ms is not None or self.duration_ms is not None):
            return self
        raise ValueError("must include timing")


class Call(BaseModel, Generic[Node]):
    """The body."""

    call_id: str = Field(min_length=1, max_length=200)
    call_type: str = Field(min_length=1, max_length=100)
    transcript_with_tool_calls: list[Segment[Node]] = Field(min_length=1)
    start_timestamp: int
    end_timestamp: int
    recording_url: str = Field(min_length=1, max_length=1024)
    transcript: str | None = None
    duration_ms: int | None = None
    call_status: str | None = Field(default=None, max_length=100)
    disconnection_reason: str | None = Field(default=None, max_length=100)
    caller_phone_number: str | None = Field(default=None, max_length=50)
    call_successful: bool | None = None
    user_sentiment: str | None = Field(default=None, max_length=50)
    in_voicemail: bool | None = None
    collected_dynamic_variables: FreeForm | None = None
    call_cost: float | None = None
    call_analysis: FreeForm | None = None
    general_meta_data_raw: FreeForm | None = None
    recording_multi_channel_url: str | None = Field(default=None, max_length=1024)


class CallOfToday(Call[NodeOfToday]):
    """The body with what was added since."""

    agent_version: int | None = Field(default=None, ge=0)
    metadata: FreeForm | None = None
    sip_call_id: str | None = None
    recipient: str | None = None
    sip_headers: dict[str, str] | None = None


GENERATIONS: tuple[type[BaseModel], ...] = (Call[NodeOfFebruary], CallOfToday)
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_accepted(text: bytes) -> bool:
    """Whether one generation at least takes *text* as the body of a request."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any(_is_valid(model, parsed) for model in GENERATIONS)


def is_poison(text: bytes) -> bool:
    """Whether *text* holds what makes such a server answer 500, when it refuses or when it stores:
    NaN, an infinity, or a lone surrogate.
    """
    try:
        # What is no number becomes what is no text: one search finds both. How large an integer is
        # does not matter here.
        parsed = json.loads(text, parse_int=len, parse_constant=lambda _: "\ud800")
    except (ValueError, RecursionError):
        return False
    return _SURROGATE.search(json.dumps(parsed, ensure_ascii=False)) is not None


def _is_valid(model: type[BaseModel], parsed: object) -> bool:
    try:
        model.model_validate(parsed)
    except (ValidationError, OverflowError):
        return False
    return True
