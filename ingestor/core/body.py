"""The body of Tuner's Create Call as msgspec structs: the exact form that needs no second look.

What these types refuse may still be good (Tuner coerces laxly): then `ingestor.core.rules` decides.
What they accept, Tuner does not certainly refuse. Objects that nobody here reads are checked to be
objects and not built.

Most spoken rows have a start and an end. Bodies with no others are read by types that demand both,
and need no look at each row: a tenth of the time (measured).
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType, json

Role = Literal["user", "agent", "agent_function", "agent_result", "node_transition"]
SPEECH = ("user", "agent")

Milliseconds = Annotated[int | float, Meta(description="Milliseconds from the start of the call.")]
Epoch = Annotated[int, Meta(description="Unix time, in seconds or in milliseconds.")]
Short = Annotated[str, Meta(max_length=50)]
Label = Annotated[str, Meta(max_length=100)]
Link = Annotated[str, Meta(max_length=1024)]


class Object(Struct, gc=False):
    """Any JSON object; its content is skipped."""


class Word(Struct, gc=False):
    """One spoken word."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    word: str | None = None
    confidence: float | None = None


class Tool(Struct, gc=False):
    """A tool's call or its result."""

    name: str | None = None
    request_id: str | None = None
    params: Object | None = None
    result: Object | None = None
    is_error: bool | None = None
    error: str | None = None


class Node(Struct, gc=False, rename={"origin": "from"}):
    """A move between the nodes of a conversation flow."""

    to: str
    origin: str | None = None
    reason: str | None = None


class Segment(Struct, gc=False):
    """One row of the transcript.

    A `user` or `agent` row needs `words`, or `start_ms` with `end_ms` or `duration_ms`.
    """

    role: Role
    text: str | None = None
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    duration_ms: Milliseconds | None = None
    words: list[Word] | None = None
    tool: Tool | None = None
    node: Node | None = None
    metadata: Object | UnsetType = UNSET

    @property
    def is_timed(self) -> bool:
        """Whether it says when it was spoken, if it was."""
        return (
            (
                self.start_ms is not None
                and (self.end_ms is not None or self.duration_ms is not None)
            )
            or bool(self.words)
            or self.role not in SPEECH
        )


class _Row(Struct, gc=False, tag_field="role"):
    text: str | None = None
    metadata: Object | UnsetType = UNSET
    duration_ms: Milliseconds | None = None
    words: list[Word] | None = None
    tool: Tool | None = None
    node: Node | None = None


class _Spoken(_Row, gc=False, kw_only=True):
    start_ms: Milliseconds
    end_ms: Milliseconds


class _Silent(_Row, gc=False):
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None


class _User(_Spoken, gc=False, tag="user"):
    pass


class _Agent(_Spoken, gc=False, tag="agent"):
    pass


class _Function(_Silent, gc=False, tag="agent_function"):
    pass


class _Result(_Silent, gc=False, tag="agent_result"):
    pass


class _Transition(_Silent, gc=False, tag="node_transition"):
    pass


_AnyRow = TypeVar("_AnyRow")


class Body(Struct, Generic[_AnyRow], gc=False):
    """A call as Tuner's Create Call takes it. Unknown fields are kept and passed on."""

    call_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            description="Unique id of the call; Tuner stores a call_id once.",
        ),
    ]
    call_type: Annotated[
        str, Meta(min_length=1, max_length=100, description="For example phone_call or web_call.")
    ]
    start_timestamp: Epoch
    end_timestamp: Epoch
    transcript_with_tool_calls: Annotated[list[_AnyRow], Meta(min_length=1)]
    recording_url: (
        Annotated[
            str,
            Meta(min_length=1, max_length=1024, description="Where the recording can be fetched."),
        ]
        | None
    ) = None
    transcript: str | None = None
    duration_ms: int | None = None
    call_status: Label | None = None
    disconnection_reason: Label | None = None
    caller_phone_number: Short | None = None
    call_successful: bool | None = None
    user_sentiment: Short | None = None
    in_voicemail: bool | None = None
    collected_dynamic_variables: Object | None = None
    call_cost: Annotated[float, Meta(description="In cents; fractions are allowed.")] | None = None
    call_analysis: Object | None = None
    general_meta_data_raw: Object | None = None
    recording_multi_channel_url: Link | None = None
    workspace_id: (
        Annotated[int | str, Meta(description="Overrides the configured workspace.")] | None
    ) = None
    agent_remote_identifier: (
        Annotated[int | str, Meta(description="Overrides the configured agent.")] | None
    ) = None


exact = json.Decoder(Body[Segment])
plain = json.Decoder(Body[_User | _Agent | _Function | _Result | _Transition])
_REFUSALS = (DecodeError, UnicodeDecodeError, RecursionError)


def read(text: bytes) -> Body[Any] | None:
    """Read a body of the exact form in which every spoken row says when it was spoken; None when
    *text* is no such body, which it may still be for Tuner.
    """
    try:
        return plain.decode(text)
    except _REFUSALS:
        pass
    try:
        body = exact.decode(text)
    except _REFUSALS:
        return None
    return body if all(row.is_timed for row in body.transcript_with_tool_calls) else None
