"""What holds for every event, whatever its bytes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from builders import destination, envelope, framed, record
from core.strategies import FIELDS, anything, bodies, headers, json_values, many, mutated, texts
from core.tuner_model import is_accepted, is_poison
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.call import Call
from ingestor.core.decoder import Decoded, Decoder, OldTranscripts, Reading
from ingestor.core.doors.cloudevents import EventTypes
from ingestor.core.letter import letter
from ingestor.core.outcome import Dead, Ignored, Reason
from ingestor.core.record import Header
from ingestor.core.routing import Router

PLAIN = Decoder(Reading())
READINGS: list[Mapping[str, Any]] = [
    {},
    *({"recording_url": "pending", "old_transcripts": choice} for choice in OldTranscripts),
]
DECODERS = [
    Decoder(Reading(max_bytes=500, event_types=EventTypes(["com.*"]))),
    *(Decoder(Reading(**reading)) for reading in READINGS),
]
MARK = b"\xef\xbb\xbf"


@many
@given(anything, headers, st.sampled_from(DECODERS))
def test_decode_never_raises(value: bytes, at: Sequence[Header], decoder: Decoder) -> None:
    """A record is a call, a letter or nothing to deliver, and never an error."""
    decoded = decoder.decode(record(value, headers=at))

    assert isinstance(decoded, (Call, Dead, Ignored))


@many
@given(bodies, st.sampled_from(DECODERS))
def test_whatever_is_mended_is_valid_afterwards(value: bytes, decoder: Decoder) -> None:
    """A body that something was added to needs nothing more, and keeps its call_id."""
    decoded = decoder.decode(record(value))

    if isinstance(decoded, Call) and decoded.body != value:
        assert PLAIN.decode(record(decoded.body)) == decoded


@many
@given(bodies, headers)
def test_in_doubt_tuner_decides(value: bytes, at: Sequence[Header]) -> None:
    """Refused before the POST is only what both generations refuse, or answer with 500."""
    decoded = PLAIN.decode(record(value, headers=at))

    if isinstance(decoded, Call):
        assert decoded.body in value
    else:
        assert isinstance(decoded, Dead)
        assert decoded.reason in (Reason.MALFORMED, Reason.INVALID)
        assert is_poison(value) or not is_accepted(value)


@many
@given(mutated())
def test_in_doubt_tuner_decides_about_data_too(data: Any) -> None:
    """What comes out of an envelope is judged like what comes without one."""
    decoded = PLAIN.decode(record(json.dumps(envelope(data=data)).encode()))

    if isinstance(decoded, Dead):
        text = json.dumps(data).encode()
        assert is_poison(text) or not is_accepted(text)


def _judgement(decoded: Decoded) -> object:
    """Leave out what may differ: the bytes of the body, and how broken JSON is described."""
    match decoded:
        case Call(call_id, _, workspace, agent):
            return call_id, repr(workspace), repr(agent)
        case Dead(reason=Reason.MALFORMED):
            return Reason.MALFORMED
        case _:
            return decoded


@many
@given(texts(mutated()) | anything)
def test_both_readers_judge_alike(value: bytes) -> None:
    """A byte order mark keeps the exact types from reading; the lax rules find the same."""
    if (
        MARK not in value[:3]
        and b"\0" not in value[:4]
        and value[:2] not in (b"\xff\xfe", b"\xfe\xff")
    ):
        exactly, laxly = PLAIN.decode(record(value)), PLAIN.decode(record(MARK + value))

        assert _judgement(exactly) == _judgement(laxly)


@many
@given(
    anything | bodies | bodies.map(framed) | anything.map(b"\0".__add__),
    headers,
    st.sampled_from(READINGS),
)
def test_the_doors_may_come_first_or_last(
    value: bytes, at: Sequence[Header], reading: Mapping[str, Any]
) -> None:
    """With patterns headers are looked at before the exact types; with one that takes every type
    nothing else is different.
    """
    last = Decoder(Reading(**reading))
    first = Decoder(Reading(event_types=EventTypes(["*"]), **reading))
    beside = [*at, ("traceparent", b"00-1-2-01")]

    assert last.decode(record(value, headers=at)) == first.decode(record(value, headers=beside))


SECRET = "Zq7"  # noqa: S105 - stands in every value that must not show
_secret_texts = st.text(max_size=4).map(f"{SECRET} ".__add__) | st.just(f"{SECRET} \ud800")
_secret_keys = st.sampled_from(FIELDS) | _secret_texts
_secret_values = json_values(_secret_texts | st.floats() | st.none() | st.integers(), _secret_keys)


@st.composite
def _secret_bodies(draw: st.DrawFn) -> Any:
    return _hide(draw(mutated(_secret_values, _secret_keys)), draw(st.booleans()))


def _hide(value: Any, is_all: bool) -> Any:  # noqa: FBT001 - a draw
    """Put the secret into every string of *value*, the roles perhaps aside."""
    if isinstance(value, dict):
        return {
            name: inner if name == "role" and not is_all else _hide(inner, is_all)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_hide(inner, is_all) for inner in value]
    return f"{SECRET} {value}" if isinstance(value, str) else value


@many
@given(texts(_secret_bodies()), st.sampled_from(DECODERS), st.booleans())
def test_no_letter_quotes_an_event(value: bytes, decoder: Decoder, is_enveloped: bool) -> None:  # noqa: FBT001 - a draw
    """Its message and its errors are made of places and rules; of odd keys not even the key."""
    if is_enveloped:
        value = b'{"specversion": "1.0", "data": ' + value + b"}"
    read = record(value)
    outcome: object = decoder.decode(read)
    if isinstance(outcome, Call):
        # Without settings: what the event says of its route must do.
        outcome = Router(destination()).route(read, outcome)
    if not isinstance(outcome, Dead):
        return

    assert SECRET not in outcome.message
    assert SECRET not in repr(outcome.errors)
    said = dict(letter(read, outcome, None, version="1").headers)
    said.pop("ingestor-call-id", None)
    assert SECRET not in repr(said)


@many
@given(anything, headers)
def test_a_letter_is_small(value: bytes, at: Sequence[Header]) -> None:
    """What a letter adds to its record has to fit into the topic that takes both."""
    read = record(value, headers=at)
    decoded = PLAIN.decode(read)
    if isinstance(decoded, Dead):
        written = letter(read, decoded, None, version="1")
        added = [text for name, text in written.headers if (name, text) not in at]

        assert sum(len(text or b"") for text in added) < 50_000
