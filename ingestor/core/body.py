"""The body of Tuner's Create Call as msgspec structs: the exact form that needs no second look.

What these types refuse may still be good (Tuner coerces laxly): then `ingestor.core.rules` decides.
What they accept, Tuner does not certainly refuse. Objects that nobody here reads are checked to be
objects and not built.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, json

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


class Body(Struct, gc=False):
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
    transcript_with_tool_calls: Annotated[list[Segment], Meta(min_length=1)]
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

    def is_timed(self) -> bool:
        """Whether every spoken row says when it was spoken."""
        # One loop for all rows: a property of each row took twice the time.
        for row in self.transcript_with_tool_calls:
            if (
                (row.start_ms is None or (row.end_ms is None and row.duration_ms is None))
                and not row.words
                and row.role in SPEECH
            ):
                return False
        return True


exact = json.Decoder(Body)
