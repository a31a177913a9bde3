"""What is odd about a call that Tuner accepts all the same: told to publishers, never a reason to
refuse.
"""

from collections.abc import Iterator, Mapping

from ingestor.core.mending import SECONDS_BELOW
from ingestor.core.problem import Problem, place

SENTIMENTS = ("positive", "neutral", "negative", "unknown")
PLACEHOLDERS = ("pending", "pipecat://no-recording", "n/a", "none")
# Eleven days, in milliseconds: no call is that long, and every date is later.
LONGEST_MS = 1_000_000_000


def advice(body: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what a publisher may want to look at in an acceptable *body*."""
    yield from _times(body)
    sentiment = body.get("user_sentiment")
    if sentiment is not None and sentiment not in SENTIMENTS:
        yield Problem("user_sentiment", f"is not one of {', '.join(SENTIMENTS)}")
    recording = body.get("recording_url")
    if isinstance(recording, str) and recording.strip().lower() in ("", *PLACEHOLDERS):
        yield Problem("recording_url", "is a placeholder: Tuner has nothing to play")
    if body.get("agent_version") is not None and not _is_version(body["agent_version"]):
        yield Problem("agent_version", "should be a whole number from 0 on")
    rows = body.get("transcript_with_tool_calls")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            yield from _row(row, index)


def _times(body: Mapping[str, object]) -> Iterator[Problem]:
    start, end = body.get("start_timestamp"), body.get("end_timestamp")
    if not (isinstance(start, (int, float)) and isinstance(end, (int, float))):
        return
    if (start < SECONDS_BELOW) != (end < SECONDS_BELOW):
        yield Problem(
            "end_timestamp", "is in another unit than start_timestamp (seconds and milliseconds)"
        )
    elif end < start:
        yield Problem("end_timestamp", "is before start_timestamp")


def _row(row: Mapping[str, object], index: int) -> Iterator[Problem]:
    at = ("transcript_with_tool_calls", index)
    start, end = row.get("start_ms"), row.get("end_ms")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end < start:
        yield Problem(place((*at, "end_ms")), "is before start_ms")
    if isinstance(start, (int, float)) and start >= LONGEST_MS:
        yield Problem(
            place((*at, "start_ms")), "looks like a date: it counts from the start of the call"
        )
    if row.get("text") is None and isinstance(row.get("content"), str):
        yield Problem(
            place((*at, "content")), "is the older name of text: newer Tuners leave the text empty"
        )
    node = row.get("node")
    if isinstance(node, dict) and not isinstance(node.get("from"), str):
        yield Problem(
            place((*at, "node", "from")), "should be a name, such as start for the first node"
        )


def _is_version(version: object) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and version >= 0
