"""The bodies Tuner takes, one pydantic model per generation of its Create Call reference.

Types are coerced as pydantic does by default, for clients have come to rely on it: `"12"`, `12.0`
and `true` are integers, `"true"` is a boolean, but a number is never a string.
"""

import math
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from ingestor.devkit.fake_tuner.options import Profile

Role = Literal["node_transition", "user", "agent", "agent_function", "agent_result"]
FreeForm = dict[str, Any]
_UpTo50 = Annotated[str, Field(max_length=50)]
_UpTo100 = Annotated[str, Field(max_length=100)]
_UpTo1024 = Annotated[str, Field(max_length=1024)]


def _round_up(body: object, *names: str) -> object:
    """Return *body* with the floats under *names* rounded up to whole milliseconds."""
    if isinstance(body, dict):
        for name in names:
            if isinstance(body.get(name), float):
                body = {**body, name: math.ceil(body[name])}
    return body


class Word(BaseModel):
    """One spoken word with its times in milliseconds from the start of the call."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _ceil(cls, body: object) -> object:
        return _round_up(body, "start_ms", "end_ms")


class Node(BaseModel):
    """A step between nodes of a flow; the first one comes from nowhere."""

    model_config = ConfigDict(populate_by_name=True)

    from_node: str | None = Field(None, alias="from")
    to: str
    reason: str | None = None


class StrictNode(Node):
    """A step between nodes as it was first published: never from nowhere."""

    from_node: str = Field(alias="from")


class Tool(BaseModel):
    """A tool's invocation or its result; nothing in it is required."""

    name: str | None = None
    request_id: str | None = None
    params: FreeForm | None = None
    result: FreeForm | None = None
    is_error: bool | None = None
    error: str | None = None


class TimedTool(Tool):
    """A tool's row in the newer reference, which adds its time."""

    start_ms: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _ceil(cls, body: object) -> object:
        return _round_up(body, "start_ms")


class Segment(BaseModel):
    """One row of the timeline; keys it does not know are kept."""

    model_config = ConfigDict(extra="allow")

    role: str
    text: str | None = None
    words: list[Word] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    duration_ms: int | None = None
    node: Node | None = None
    tool: Tool | None = None
    metadata: FreeForm = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _ceil(cls, body: object) -> object:
        return _round_up(body, "start_ms", "end_ms", "duration_ms")

    @model_validator(mode="after")
    def _derive_end(self) -> Self:
        if self.end_ms is None and self.start_ms is not None and self.duration_ms is not None:
            self.end_ms = self.start_ms + self.duration_ms
        return self


class LegacySegment(Segment):
    """A row of the first reference: `{role, content}`, no timing asked, any role."""

    tool: TimedTool | None = None


class SpokenSegment(Segment):
    """A row with one of the known roles, timed where somebody speaks."""

    role: Role

    @model_validator(mode="after")
    def _is_timed(self) -> Self:
        has_span = self.start_ms is not None and (self.end_ms, self.duration_ms) != (None, None)
        if self.role in ("user", "agent") and not self.words and not has_span:
            raise ValueError(
                f"Segment with role='{self.role}' must include timing: non-empty 'words' with "
                "start_ms/end_ms, or 'start_ms' and 'end_ms', or 'start_ms' and 'duration_ms'"
            )
        return self


class CurrentSegment(SpokenSegment):
    """A row of the newest reference."""

    tool: TimedTool | None = None


class StrictSegment(SpokenSegment):
    """A row of the first reference with timed segments."""

    node: StrictNode | None = None


S = TypeVar("S", bound=Segment)


class CreateCall(BaseModel, Generic[S]):
    """The body as first published with timed segments; keys it does not know are dropped."""

    call_id: str = Field(min_length=1, max_length=200)
    call_type: str = Field(min_length=1, max_length=100)
    transcript_with_tool_calls: list[S] = Field(min_length=1)
    start_timestamp: int
    end_timestamp: int
    recording_url: str = Field(min_length=1, max_length=1024)
    transcript: str | None = None
    duration_ms: int | None = None
    call_status: _UpTo100 | None = None
    disconnection_reason: _UpTo100 | None = None
    caller_phone_number: _UpTo50 | None = None
    call_successful: bool | None = None
    user_sentiment: _UpTo50 | None = None
    in_voicemail: bool | None = None
    collected_dynamic_variables: FreeForm | None = None
    call_cost: float | None = None
    call_analysis: FreeForm | None = None
    general_meta_data_raw: FreeForm | None = None
    recording_multi_channel_url: _UpTo1024 | None = None


class CreateCallToday(CreateCall[S], Generic[S]):
    """The body with all that the newest reference and the official clients have added."""

    agent_version: Annotated[int, Field(ge=0)] | None = None
    metadata: FreeForm | None = None
    sip_call_id: str | None = None
    recipient: str | None = None
    sip_headers: dict[str, str] | None = None
    llm_trace: FreeForm | None = None
    recording_file_extension: str | None = None
    recording_s3_multi_channel: bool | None = None
    recording_s3_caller_channel: int | None = None


AnyCall = (
    CreateCall[StrictSegment] | CreateCallToday[CurrentSegment] | CreateCallToday[LegacySegment]
)

MODELS: dict[Profile, TypeAdapter[AnyCall]] = {
    "strict-feb": TypeAdapter(CreateCall[StrictSegment]),
    "current": TypeAdapter(CreateCallToday[CurrentSegment]),
    "legacy": TypeAdapter(CreateCallToday[LegacySegment]),
}
