"""What the settings allow to add to a body that Tuner would refuse: a placeholder recording, and
times for older transcripts.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from ingestor.core.parsing import to_utf8
from ingestor.core.rules import is_old

SECONDS_BELOW = 10_000_000_000
_MILLISECONDS_BELOW = 100_000_000_000_000  # the year 5138: what is beyond is no date
PACE_MS = 65.0  # a character of ordinary speech, when the call's own duration is not known
_SPEAKERS = {
    "assistant": "agent",
    "bot": "agent",
    "ai": "agent",
    "human": "user",
    "customer": "user",
    "caller": "user",
}
_PROMPTS = ("system", "developer")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def with_recording(body: bytes, url: str) -> bytes:
    """Append `recording_url` to a JSON object that has a field; all else stays byte for byte (the
    last of equal keys wins).
    """
    head = to_utf8(body).rstrip(b" \t\r\n").removesuffix(b"}")
    return head + b',"recording_url":' + msgspec.json.encode(url) + b"}"


def with_estimated_times(
    body: bytes, parsed: Mapping[str, object], rows: Sequence[object]
) -> bytes:
    """Give the older `{role, content}` rows of *body* a `text` and times in proportion to their
    length.

    `content` is kept, so that both generations of Tuner find their words. System and developer
    prompts were not spoken and are left out. Every other field survives byte for byte.
    """
    fields = _fields.decode(to_utf8(body))
    raw_rows = msgspec.json.decode(fields["transcript_with_tool_calls"], type=list[msgspec.Raw])
    spoken = [
        (row, raw)
        for row, raw in zip(rows, raw_rows, strict=True)
        if not (is_old(row) and row.get("role") in _PROMPTS)
    ]
    ends = _ends([row for row, _ in spoken], _span(parsed))
    begins = [0, *ends]
    timed = [
        _timed(row, raw, begin, end) if is_old(row) else raw
        for (row, raw), begin, end in zip(spoken, begins, ends, strict=False)
    ]
    return msgspec.json.encode({**fields, "transcript_with_tool_calls": timed})


def _timed(
    row: Mapping[str, object], raw: msgspec.Raw, begin: int, end: int
) -> Mapping[str, object]:
    role = row.get("role")
    return {
        **_fields.decode(raw),
        "role": _SPEAKERS.get(role, role) if isinstance(role, str) else role,
        "text": row["content"],
        "start_ms": begin,
        "end_ms": end,
    }


def _ends(rows: Sequence[object], span: float | None) -> list[int]:
    """Compute where each row ends when *span* milliseconds are shared out by length."""
    lengths = [
        len(str(row.get("content") or row.get("text") or "")) + 1 if isinstance(row, dict) else 1
        for row in rows
    ]
    per_character = PACE_MS if span is None else span / max(sum(lengths), 1)
    total, ends = 0, []
    for length in lengths:
        total += length
        ends.append(math.ceil(total * per_character))
    return ends


def _span(parsed: Mapping[str, object]) -> float | None:
    """Read the duration in milliseconds from the two timestamps, None when they do not tell."""
    start, end = parsed.get("start_timestamp"), parsed.get("end_timestamp")
    if not (isinstance(start, (int, float)) and isinstance(end, (int, float))):
        return None
    if not 0 <= start < end < _MILLISECONDS_BELOW or start < SECONDS_BELOW <= end:
        return None
    return float(end - start) * (1000 if end < SECONDS_BELOW else 1)
