"""What a record is: a call, a letter, or nothing to deliver."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from builders import ABSENT, envelope, event, framed, record, row
from core.strategies import OLDER, REFERENCE
from core.tables import table

from ingestor.core.call import Call
from ingestor.core.decoder import Decoded, Decoder, OldTranscripts, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.problem import MOST, Problem
from ingestor.core.record import Damage, Header

STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]
BINARY = [("ce_specversion", b"1.0"), ("ce_type", b"com.example.call.ended")]


def decode(value: bytes | None, headers: Sequence[Header] = (), **reading: Any) -> Decoded:
    return Decoder(Reading(**reading)).decode(record(value, headers=headers))


def posted(decoded: Decoded) -> Any:
    """Parse what would be posted."""
    assert isinstance(decoded, Call), decoded
    return json.loads(decoded.body)


def test_the_reference_body_is_posted_byte_for_byte() -> None:
    """The very bytes that Kafka handed over: nothing is written anew."""
    read = record(REFERENCE)

    decoded = Decoder(Reading()).decode(read)

    assert decoded == Call("orders-7f3a", REFERENCE)
    assert isinstance(decoded, Call)
    assert decoded.body is read.value


@table(
    "value, call_id",
    {
        "numbers in strings": (event(start_timestamp="12", call_cost="1.5"), "orders-7f3a"),
        "integral floats": (event(end_timestamp=12.0), "orders-7f3a"),
        "a byte order mark": (b"\xef\xbb\xbf" + event(), "orders-7f3a"),
        "UTF-16": (event().decode().encode("utf-16"), "orders-7f3a"),
        "UTF-16 without a mark": (event().decode().encode("utf-16-be"), "orders-7f3a"),
        "UTF-32 without a mark": (event().decode().encode("utf-32-be"), "orders-7f3a"),
        "equal keys": (event(call_id=5)[:-1] + b', "call_id": "last"}', "last"),
        "escaped keys": (event().replace(b"call_id", b"call\\u005fid"), "orders-7f3a"),
        "spaces around": (b" \r\n\t" + event() + b"\n", "orders-7f3a"),
        "letters of other alphabets": (event(note="~").replace(b"~", b"\xc3\xa9"), "orders-7f3a"),
        "the first node of a flow": (
            event(transcript_with_tool_calls=[row(node={"from": None, "to": "a"})]),
            "orders-7f3a",
        ),
        "a number beyond all numbers": (event()[:-1] + b', "n": 1e400}', "orders-7f3a"),
        "a surrogate that an equal key hides": (
            event()[:-1] + b', "a": "\\ud800", "a": 1}',
            "orders-7f3a",
        ),
        "a body with fields of an envelope": (
            event(specversion="1.0", data={}, type="x", start_timestamp="12"),
            "orders-7f3a",
        ),
    },
)
def test_what_tuner_reads_is_posted_as_it_came(value: bytes, call_id: str) -> None:
    """However it is spelled: Tuner's server reads it the same way."""
    assert decode(value) == Call(call_id, value)


@table("encoding", {"exactly": "utf-8", "laxly": "utf-8-sig"})
def test_an_event_may_say_where_it_goes(encoding: str) -> None:
    """Its own ids are handed on as they stand, and are posted too."""
    value = event(workspace_id=7, agent_remote_identifier="desk").decode().encode(encoding)

    assert decode(value) == Call("orders-7f3a", value, 7, "desk")


LONG = b'"long": ' + b"9" * 10_000


@table("value", {"exactly": event(), "laxly": event(start_timestamp="12")})
def test_a_number_of_ten_thousand_digits_is_tuners_affair(value: bytes) -> None:
    """Where nobody looks it is not looked for, whichever reader reads."""
    assert isinstance(decode(value[:-1] + b", " + LONG + b"}"), Call)
    assert decode(value[:-1] + b', "duration_ms": ' + b"9" * 10_000 + b"}") == Dead(
        Reason.INVALID,
        "duration_ms: must be a whole number",
        (Problem("duration_ms", "must be a whole number"),),
        call_id="orders-7f3a",
    )


def test_a_huge_transcript_is_posted() -> None:
    """Hours of talk are one call."""
    value = event(transcript_with_tool_calls=[row(text="x" * 100)] * 20_000)

    assert decode(value) == Call("orders-7f3a", value)


@table(
    "value, message",
    {
        "nothing": (b"", "is not JSON (line 1, column 1)"),
        "half an event": (event()[:-1], "is not JSON (line 1"),
        "a text": (b'"call"', "must be a JSON object"),
        "null": (b"null", "must be a JSON object"),
        "an array of events": (b"[" + event() + b"]", "must be a JSON object"),
        "bytes that are no text where nobody looks": (
            event(note="~").replace(b"~", b"\xff"),
            "is not JSON (byte",
        ),
        "bytes that are no text where somebody looks": (
            event(call_id="~").replace(b"~", b"\xff"),
            "is not JSON (byte",
        ),
        "a control character": (
            event(note="~").replace(b"~", b"\x01"),
            "is not JSON (line 1",
        ),
        "NaN": (event(end_timestamp=float("nan")), "end_timestamp: is NaN or Infinity"),
        "Infinity where nobody looks": (
            event(metadata={"x": float("inf")}),
            "metadata.x: is NaN or Infinity",
        ),
        "a lone surrogate": (event(note="\ud800"), "note: has a lone surrogate"),
        "a surrogate in UTF-8": (
            event(note="~").replace(b"~", b"\xed\xa0\x80"),
            "note: has a lone surrogate",
        ),
        "brackets without end": (b"[" * 100_000, "is nested too deeply"),
        "a gzip member": (b"\x1f\x8b\x08\0\0", "is not JSON"),
    },
)
def test_what_is_not_json_is_malformed(value: bytes, message: str) -> None:
    """No server would read it, or answer."""
    decoded = decode(value)

    assert isinstance(decoded, Dead)
    assert decoded.reason is Reason.MALFORMED
    assert decoded.message.startswith(message)


def test_what_tuner_would_refuse_is_invalid() -> None:
    """All that is wrong is told at once, by place and rule."""
    decoded = decode(event(call_type=ABSENT, transcript_with_tool_calls=[row(role="bot")]))

    assert isinstance(decoded, Dead)
    assert decoded.reason is Reason.INVALID
    assert [error.place for error in decoded.errors] == [
        "call_type",
        "transcript_with_tool_calls[0].role",
    ]
    assert decoded.message.startswith(
        "call_type: is required; transcript_with_tool_calls[0].role: must be one of user, agent"
    )


@table(
    "call_id, told",
    {
        "an id": ("orders-7f3a", "orders-7f3a"),
        "the longest": ("x" * 200, "x" * 200),
        "one that is too long": ("x" * 201, None),
        "an empty one": ("", None),
        "a number": (5, None),
        "none": (ABSENT, None),
    },
)
def test_the_letter_of_an_invalid_event_names_the_call(call_id: object, told: str | None) -> None:
    """If it has a name: somebody will look for it."""
    decoded = decode(event(call_id=call_id, call_type=""))

    assert isinstance(decoded, Dead)
    assert decoded.call_id == told


@table(
    "value",
    {
        "rules": event(transcript_with_tool_calls=[{}] * 50_000),
        "poison": b"[" + b",".join([b"NaN"] * 50_000) + b"]",
    },
)
def test_the_letter_of_a_hopeless_event_stays_small(value: bytes) -> None:
    """What is wrong with each of a million rows would not fit into its headers."""
    decoded = decode(value)

    assert isinstance(decoded, Dead)
    assert len(decoded.errors) == MOST
    assert decoded.message.endswith("and at least 15 more")


def test_a_tombstone_is_ignored() -> None:
    """A value of null says that a key is gone."""
    assert decode(None, STRUCTURED + BINARY) == Ignored("tombstone")


def test_a_reading_takes_eight_mebibytes_and_adds_nothing_unless_told() -> None:
    """As the settings say; their words for older transcripts are these."""
    assert Reading().max_bytes == 8 * 1024 * 1024
    assert (Reading().recording_url, Reading().old_transcripts) == (None, OldTranscripts.PASS)
    assert [str(choice) for choice in OldTranscripts] == ["pass", "estimate", "refuse"]


def test_an_event_that_is_too_large_is_not_read() -> None:
    """The limit is of the value as it came."""
    value = event()

    assert decode(value, max_bytes=len(value)) == Call("orders-7f3a", value)
    assert decode(value, max_bytes=len(value) - 1) == Dead(
        Reason.TOO_LARGE,
        f"the event has {len(value)} bytes; at most {len(value) - 1} are taken",
    )


ENVELOPE = json.dumps(envelope()).encode()
CALL = Call("orders-7f3a", event())


@table(
    "value, headers",
    {
        "structured, by its header": (ENVELOPE, STRUCTURED),
        "structured, without a header": (ENVELOPE, []),
        "binary": (event(), BINARY),
        "framed": (framed(event()), []),
        "bare, whatever the header says": (event(), STRUCTURED),
        "bare, beside other headers": (event(), [("content-type", b"application/json")]),
    },
)
def test_an_event_comes_in_by_any_door(value: bytes, headers: Sequence[Header]) -> None:
    """More of them, and of their combinations, in the tests of the doors."""
    assert decode(value, headers) == CALL


@table(
    "value, headers",
    {
        "structured": (ENVELOPE, STRUCTURED),
        "binary": (event(), BINARY),
    },
)
def test_an_event_of_another_type_is_ignored(value: bytes, headers: Sequence[Header]) -> None:
    """When the settings name the types that are wanted."""
    other = EventTypes(["com.example.chat"])

    assert decode(value, headers, event_types=other) == Ignored(
        "event_type", "com.example.call.ended"
    )


def test_an_envelope_without_a_version_is_known_by_its_header() -> None:
    """Without both it is a body that lacks all that a body has."""
    value = json.dumps(envelope(specversion=ABSENT)).encode()

    assert decode(value, STRUCTURED) == CALL
    bare = decode(value)
    assert isinstance(bare, Dead)
    assert (bare.reason, len(bare.errors)) == (Reason.INVALID, 6)


def test_a_frame_that_holds_no_json_is_malformed() -> None:
    """Avro and Protobuf are framed alike."""
    assert decode(framed(b"\x14orders-7f3a")) == Dead(
        Reason.MALFORMED, "is framed by a schema registry, but what the frame holds is not JSON"
    )


BARE = event(recording_url=ABSENT)


@table(
    "value",
    {
        "none": BARE,
        "null": event(recording_url=None),
        "none, and the rest is lax": event(recording_url=ABSENT, start_timestamp="12"),
        "none, in UTF-16": BARE.decode().encode("utf-16"),
    },
)
def test_a_call_without_recording_gets_the_placeholder(value: bytes) -> None:
    """If there is one: Tuner takes no call without."""
    assert posted(decode(value, recording_url="pending")) == json.loads(value) | {
        "recording_url": "pending"
    }
    without = decode(value)
    assert isinstance(without, Dead)
    assert [error.place for error in without.errors] == ["recording_url"]


def test_a_recording_is_never_overwritten() -> None:
    """Not even a bad one."""
    assert decode(event(), recording_url="pending") == CALL
    assert isinstance(decode(event(recording_url=""), recording_url="pending"), Dead)
    assert isinstance(decode(b"{}", recording_url="pending"), Dead)


def test_older_transcripts_pass_unless_told() -> None:
    """Tuner's first generation took them; whether today's does, it says itself."""
    assert (
        posted(decode(OLDER, recording_url="pending"))["transcript_with_tool_calls"]
        == (json.loads(OLDER)["transcript_with_tool_calls"])
    )


def test_older_transcripts_may_get_estimated_times() -> None:
    """Then they are valid in every generation."""
    decoded = decode(OLDER, recording_url="pending", old_transcripts=OldTranscripts.ESTIMATE)

    rows = posted(decoded)["transcript_with_tool_calls"]
    assert [(row["role"], row["text"]) for row in rows] == [
        ("agent", "Hello."),
        ("user", "My balance?"),
    ]
    assert decode(event(), old_transcripts=OldTranscripts.ESTIMATE) == CALL


def test_older_transcripts_may_be_refused() -> None:
    """Then the letter says what is wrong with them."""
    decoded = decode(
        event(transcript_with_tool_calls=[{"role": "user", "content": "hi"}]),
        old_transcripts=OldTranscripts.REFUSE,
    )

    assert isinstance(decoded, Dead)
    assert "has the older form {role, content} without times" in decoded.message


HIDDEN = '"a": "\ud800", "a": 1, '.encode("utf-8", "surrogatepass")


@table(
    "value",
    {
        "a surrogate that an equal key hides": OLDER.replace(b"{", b"{" + HIDDEN, 1),
        "an escaped one": OLDER.replace(b"{", b'{"a": "\\ud800", "a": 1,', 1),
        "deep inside": OLDER.replace(b"{", b'{"m": {"a": "\\ud800", "a": 1},', 1),
        "in UTF-16": OLDER.replace(b"{", b"{" + HIDDEN, 1)
        .decode("utf-8", "surrogatepass")
        .encode("utf-16", "surrogatepass"),
        "a date that no float can say": OLDER.replace(b"1781108062000", b"1" + b"0" * 400),
        "an infinite one": OLDER.replace(b"1781108062000", b"1e400"),
        "a cost beyond all numbers": OLDER.replace(b"{", b'{"call_cost": 1e400,', 1),
        "nothing but prompts": OLDER.replace(b"assistant", b"system").replace(b"user", b"system"),
        "a thousand brackets": OLDER.replace(b"{", b'{"a": ' + b"[" * 980 + b"]" * 980 + b",", 1),
    },
)
@pytest.mark.parametrize("old_transcripts", OldTranscripts)
def test_what_cannot_be_mended_is_judged_as_it_is(
    value: bytes, old_transcripts: OldTranscripts
) -> None:
    """Tuner's reader is the laxer one: a body that cannot be cut is no reason to stumble."""
    decoded = decode(value, recording_url="pending", old_transcripts=old_transcripts)

    assert isinstance(decoded, (Call, Dead))


@table(
    "value, reason",
    {
        "with its bytes": (b"raw", Reason.UNREADABLE),
        "of which nothing was found": (b"", Reason.SKIPPED),
        "whose bytes look like an event": (event(), Reason.UNREADABLE),
    },
)
def test_a_range_that_cannot_be_read_is_a_letter(value: bytes, reason: Reason) -> None:
    """Whatever its bytes are: nobody vouches for them."""
    unreadable = record(value, offset=13, damage=Damage(20, "a broken gzip stream"))

    decoded = Decoder(Reading(max_bytes=1)).decode(unreadable)

    assert decoded == Dead(reason, "offsets 13 to 20: a broken gzip stream")
