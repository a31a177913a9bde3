"""A letter's headers are read by more people than its event: they hold nothing of it but ids."""

import json

from builders import answered, body, circumstances, dead, record, route
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.decoder import Decoder, Reading
from ingestor.core.judgement import judge
from ingestor.core.letter import PREFIX, letter
from ingestor.core.outcome import Dead
from ingestor.core.record import Record
from ingestor.core.verdict import Refused

MARK = "+1 555 0199"
FIELDS = sorted(body().keys() - {"call_id"} | {"caller_phone_number", "transcript", "call_cost"})

private = st.recursive(
    st.just(MARK),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(MARK), inner, max_size=1),
    max_leaves=5,
)
events = st.builds(
    lambda fields, tail: json.dumps(body(**fields)).encode() + tail,
    st.dictionaries(st.sampled_from(FIELDS), private),
    st.sampled_from([b"", b"}", MARK.encode(), b"\xff"]),
)


def say(read: Record, died: Dead) -> bytes:
    """Write the letter, and join all that we said in its headers."""
    written = letter(read, died, route(), version="1")
    return b"\n".join(value or b"" for name, value in written.headers if name.startswith(PREFIX))


@given(events)
def test_nothing_of_an_event_that_cannot_be_posted_is_said(value: bytes) -> None:
    """Wherever it stands: in values, in the names of free fields, behind the end of the JSON."""
    read = record(value, key=MARK.encode(), headers=(("caller", MARK.encode()),))
    decoded = Decoder(Reading()).decode(read)

    if isinstance(decoded, Dead):
        assert MARK.encode() not in say(read, decoded)


steps = st.sampled_from(["body", "transcript_with_tool_calls", 3, MARK])


@given(
    st.sampled_from([400, 404, 413, 418, 422]),
    private
    | st.fixed_dictionaries(
        {
            "detail": st.lists(
                st.fixed_dictionaries(
                    {
                        "type": st.sampled_from(["missing", MARK]),
                        "loc": st.lists(steps, max_size=4) | private,
                        "msg": private,
                        "input": private,
                        "ctx": private,
                    }
                ),
                max_size=4,
            )
        }
    ),
)
def test_nothing_of_a_refusal_is_said_but_types_and_places(status: int, said: object) -> None:
    """Tuner echoes what it refuses."""
    verdict = judge(answered(status, said), circumstances())
    assert isinstance(verdict, Refused)

    died = dead(message=verdict.message, errors=verdict.errors, status=verdict.status)

    assert MARK.encode() not in say(record(), died)
