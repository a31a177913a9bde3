"""What may be added to a body."""

import json
import re
from typing import Any

import msgspec
import pytest
from builders import ABSENT, body, row
from core.strategies import OLDER, REFERENCE, json_values, many
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.mending import PACE_MS, with_estimated_times, with_recording
from ingestor.core.rules import problems

URL = 'pending "\u00e9"'


@table(
    "text, mended",
    {
        "an object": (b'{"a": 1}', b'{"a": 1,"recording_url":"pending"}'),
        "spaces at its end": (b'{"a": 1 \n} \r\n\t', b'{"a": 1 \n,"recording_url":"pending"}'),
        "braces in it": (b'{"a": {}}', b'{"a": {},"recording_url":"pending"}'),
        "a byte order mark": (b'\xef\xbb\xbf{"a":1}', b'{"a":1,"recording_url":"pending"}'),
        "UTF-16": ('{"a":1}'.encode("utf-16"), b'{"a":1,"recording_url":"pending"}'),
    },
)
def test_a_recording_is_put_at_the_end(text: bytes, mended: bytes) -> None:
    """All else stays as it was published."""
    assert with_recording(text, "pending") == mended


def test_a_recording_of_null_is_overruled() -> None:
    """Of equal keys the last one counts, for every reader of JSON that Tuner may use."""
    mended = with_recording(json.dumps(body(recording_url=None)).encode(), URL)

    assert json.loads(mended) == body(recording_url=URL)


@many
@given(st.dictionaries(st.text(max_size=4), json_values(st.none() | st.text()), min_size=1))
def test_a_recording_can_be_added_to_any_object(fields: dict[str, Any]) -> None:
    """What comes out is JSON again, and says all that it said."""
    mended = with_recording(json.dumps(fields).encode(), URL)

    assert json.loads(mended) == fields | {"recording_url": URL}


def estimated(text: bytes) -> dict[str, Any]:
    parsed = json.loads(text)
    rows = parsed["transcript_with_tool_calls"]
    mended: dict[str, Any] = json.loads(with_estimated_times(text, parsed, rows))
    return mended


def old(content: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


def older(*rows: object, **changes: object) -> bytes:
    text = json.dumps(body(transcript_with_tool_calls=list(rows), **changes))
    # What JSON has no word for it can still say: a number beyond all floats.
    return re.sub(r'_timestamp": (-?)Infinity', r'_timestamp": \g<1>1e999', text).encode()


def test_an_older_transcript_becomes_one_that_tuner_takes() -> None:
    """Speakers get today's names, prompts go, and both generations find their words."""
    mended = estimated(OLDER)

    assert mended["transcript_with_tool_calls"] == [
        {
            "role": "agent",
            "content": "Hello.",
            "text": "Hello.",
            "start_ms": 0,
            "end_ms": 22843,
        },
        {
            "role": "user",
            "content": "My balance?",
            "text": "My balance?",
            "start_ms": 22843,
            "end_ms": 62000,
        },
    ]
    assert not list(problems(mended | {"recording_url": "pending"}, old_rows=False))


@table(
    "role, speaker",
    {
        "assistant": ("assistant", "agent"),
        "bot": ("bot", "agent"),
        "ai": ("ai", "agent"),
        "human": ("human", "user"),
        "customer": ("customer", "user"),
        "caller": ("caller", "user"),
        "today's names stay": ("agent", "agent"),
        "as do names that are not known": ("narrator", "narrator"),
        "and what is no name": (5, 5),
        "not even one number": (["assistant"], ["assistant"]),
        "or nothing": (None, None),
    },
)
def test_speakers_get_todays_names(role: Any, speaker: object) -> None:
    """What is no speaker stays, for the rules to name it."""
    assert estimated(older(old("hi", role)))["transcript_with_tool_calls"][0]["role"] == speaker


def test_a_role_that_is_missing_is_missed() -> None:
    """The rules name it afterwards."""
    (mended,) = estimated(older({"content": "hi"}))["transcript_with_tool_calls"]

    assert mended["role"] is None


def test_prompts_were_not_spoken() -> None:
    """System and developer rows are left out, also when nothing else is left."""
    prompts = [old("Be kind.", "system"), old("Use tools.", "developer")]

    assert len(estimated(older(*prompts, old("hi")))["transcript_with_tool_calls"]) == 1
    assert estimated(older(*prompts))["transcript_with_tool_calls"] == []


def test_rows_with_times_stay_byte_for_byte() -> None:
    """Only what has no time is given one; a prompt in today's form was meant to be there."""
    kept = b'{ "role":"agent", "text":"\\u0041", "start_ms":1.50, "end_ms":2 }'
    system = b'{"role":"system","content":"x","start_ms":1,"end_ms":2}'
    text = b'{"transcript_with_tool_calls": [%b, {"content": "hi"}, %b]}' % (kept, system)

    mended = with_estimated_times(text, {}, msgspec.json.decode(text)["transcript_with_tool_calls"])

    assert kept in mended
    assert system in mended


def test_other_fields_stay_byte_for_byte() -> None:
    """A number is not written anew, however it was written."""
    text = older(old("hi"))[:-1] + b', "cost" : 1.50e1, "text": "\\u0041" }'
    mended = with_estimated_times(text, {}, [old("hi")])

    assert b'"cost":1.50e1' in mended
    assert b'"text":"\\u0041"' in mended


@table(
    "start, end, total",
    {
        "milliseconds": (1_781_108_000_000, 1_781_108_062_000, 62_000),
        "seconds": (1_781_108_000, 1_781_108_062, 62_000),
        "from the first second of all": (0, 10, 10_000),
        "fractions of a second": (1_781_108_000.5, 1_781_108_001.0, 500),
        "seconds and milliseconds": (1_781_108_000, 1_781_108_062_000, PACE_MS * 6),
        "no time at all": (5, 5, PACE_MS * 6),
        "backwards": (1_781_108_062_000, 1_781_108_000_000, PACE_MS * 6),
        "strings": ("1781108000000", "1781108062000", PACE_MS * 6),
        "an end that is missing": (5, ABSENT, PACE_MS * 6),
        "a start before all time": (-5, 5, PACE_MS * 6),
        "an end after all time": (5, 10**14, PACE_MS * 6),
        "an end that no float can say": (5, 10**400, PACE_MS * 6),
        "an infinite end": (5, float("inf"), PACE_MS * 6),
        "an infinite start": (float("-inf"), 5, PACE_MS * 6),
    },
)
def test_the_duration_of_the_call_is_shared_out(start: object, end: object, total: float) -> None:
    """Without a duration the pace of ordinary speech is assumed."""
    (mended,) = estimated(older(old("hello"), start_timestamp=start, end_timestamp=end))[
        "transcript_with_tool_calls"
    ]

    assert (mended["start_ms"], mended["end_ms"]) == (0, total)


def test_every_row_has_its_share() -> None:
    """In proportion to its length, whatever it is made of; rows follow on each other."""
    text = older(
        old("xxx"),
        old(""),
        row(text="xxx", end_ms=ABSENT),
        "no row",
        old("x" * 11),
        start_timestamp=1,
        end_timestamp=23,
    )

    rows = estimated(text)["transcript_with_tool_calls"]

    assert [rows[0]["end_ms"], rows[1]["end_ms"]] == [4_000, 5_000]
    assert (rows[4]["start_ms"], rows[4]["end_ms"]) == (10_000, 22_000)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_older_transcripts_may_be_in_any_encoding(encoding: str) -> None:
    """What comes out is UTF-8."""
    mended = estimated(OLDER.decode().encode(encoding))

    assert len(mended["transcript_with_tool_calls"]) == 2


CONTENTS = st.lists(st.text(max_size=20), min_size=1, max_size=8)
TIMES = st.integers() | st.integers(0, 2 * 10**12) | st.floats(allow_nan=False) | st.none()


@many
@given(CONTENTS, TIMES, TIMES)
def test_estimated_rows_are_timed_and_in_order(
    contents: list[str], start: object, end: object
) -> None:
    """Whatever the timestamps say."""
    text = older(*map(old, contents), start_timestamp=start, end_timestamp=end)

    rows = estimated(text)["transcript_with_tool_calls"]

    assert [row["text"] for row in rows] == contents
    assert rows[0]["start_ms"] == 0
    assert all(row["start_ms"] <= row["end_ms"] for row in rows)
    assert [row["end_ms"] for row in rows[:-1]] == [row["start_ms"] for row in rows[1:]]


def test_the_reference_body_has_nothing_to_mend() -> None:
    """Rows with times keep them."""
    assert estimated(REFERENCE) == json.loads(REFERENCE)
