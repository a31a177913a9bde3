"""Makes up bodies that Tuner's Create Call takes: sample conversations with times and numbers."""

from collections.abc import Iterator
from itertools import chain, takewhile
from random import Random
from typing import Any, Final, TypeAlias, assert_never

import orjson

from ingestor.devkit.sample_dialogues import Speech, Step, ToolUse, Turn, converse

Fields: TypeAlias = dict[str, Any]
Row: TypeAlias = dict[str, Any]

TRANSCRIPT: Final = "transcript_with_tool_calls"

_FIRST_SECOND: Final = 1_780_000_000  # a day in May 2026: a sample does not depend on the clock
_SPAN_SECONDS: Final = 30 * 24 * 3600
_SECONDS_BELOW: Final = 10_000_000_000  # a greater timestamp is one of milliseconds
_MS_PER_CHARACTER: Final = 62  # unhurried speech
_FEWEST_ROWS: Final = 2  # the first may be a step in the agent's script, the second is speech
_ROOM_FOR_WORDS: Final = 2_500  # below it a row with its words might end a body much too early

_REASONS: Final = ("user_hangup", "user_hangup", "agent_hangup", "timeout", "unknown")
_SENTIMENTS: Final = ("positive", "neutral", "neutral", "negative", "unknown")
_TENANTS: Final = ("north-clinic", "harbour-hotel", "quick-parcel", "city-phone", "old-mill")
_MODELS: Final = {"asr_model": "listen-2", "llm_model": "answer-large", "tts_model": "speak-1"}


def body(call_id: str, *, size: int = 4_000, seed: int = 0) -> bytes:
    """Make a valid body, the same for the same arguments.

    It has at most *size* bytes and at least 500 fewer, but never fewer than two rows take, which
    may be 1,500.
    """
    dice = Random(f"{seed} {call_id}")  # noqa: S311  # samples are to be predictable
    return orjson.dumps(draft(call_id, size=size, dice=dice))


def draft(call_id: str, *, size: int, dice: Random) -> Fields:
    """Draw the fields of such a body; the rows of its transcript are JSON already."""
    fields = _required(call_id, dice) | _optional(dice)
    transcript = _Transcript(dice)
    fields |= _ending(fields["start_timestamp"], 9_999_999)  # the longest, to measure
    fields[TRANSCRIPT] = transcript.fill(size - len(orjson.dumps(fields | {TRANSCRIPT: []})))
    return fields | _ending(fields["start_timestamp"], transcript.now + 400)


def _required(call_id: str, dice: Random) -> Fields:
    second = _FIRST_SECOND + dice.randrange(_SPAN_SECONDS)
    in_seconds = _chance(dice, 30)  # as the platforms' own forwarders send them
    return {
        "call_id": call_id,
        "call_type": dice.choice(("phone_call", "phone_call", "web_call")),
        "start_timestamp": second if in_seconds else second * 1000 + dice.randrange(1000),
        "recording_url": f"https://recordings.example.com/{call_id}.wav",
    }


def _ending(start: int, milliseconds: int) -> Fields:
    in_seconds = start < _SECONDS_BELOW
    length = -(-milliseconds // 1000) if in_seconds else milliseconds
    return {"end_timestamp": start + length, "duration_ms": milliseconds}


def _optional(dice: Random) -> Fields:
    """Draw what a platform may add; the last of them are no fields of Tuner's at all."""
    sentiment = dice.choice(_SENTIMENTS)
    drawn: Fields = {
        "call_status": "call_ended",
        "disconnection_reason": dice.choice(_REASONS),
        "caller_phone_number": f"+155501{dice.randrange(100):02}",  # reserved for fiction
        "call_successful": sentiment != "negative",
        "user_sentiment": sentiment,
        "in_voicemail": False,
        "call_cost": round(dice.uniform(1, 60), 2),
        "agent_version": dice.randrange(1, 40),
        "collected_dynamic_variables": {"tenant": dice.choice(_TENANTS), "verified": True},
        "metadata": {"ai_models": _MODELS},
        "general_meta_data_raw": {"region": "eu-1", "attempt": dice.randrange(3), "note": None},
        "call_analysis": {"summary": "The caller's question was answered.", "score": 0.8},
        "platform": {"name": "sample-voice", "build": dice.randrange(900)},
        "queue_seconds": round(dice.uniform(0, 90), 1),
    }
    return {name: value for name, value in drawn.items() if _chance(dice, 70)}


def _chance(dice: Random, percent: int) -> bool:
    return dice.randrange(100) < percent


class _Transcript:
    """Write turns down as rows, in a style drawn once for the call; *now* is the call's time."""

    def __init__(self, dice: Random) -> None:
        self.now = dice.randrange(200, 1_500)
        self._dice = dice
        self._room = 0
        self._count = 0
        self._request = 0
        self._shows_steps = _chance(dice, 50)
        self._shows_words = _chance(dice, 20)
        self._shows_metadata = _chance(dice, 70)
        self._shows_channel = _chance(dice, 20)  # no field of Tuner's: rows may have more
        self._shows_both_texts = _chance(dice, 10)  # older servers read `content`
        self._shows_end = _chance(dice, 70)

    def fill(self, room: int) -> list[orjson.Fragment]:
        """Write rows of at most *room* bytes, but two rows whatever they take."""
        self._room = room + 1  # there is one comma less than there are rows
        rows = chain.from_iterable(map(self._rows, converse(self._dice)))
        return [orjson.Fragment(row) for row in takewhile(self._has_room, map(orjson.dumps, rows))]

    def _has_room(self, row: bytes) -> bool:
        self._room -= len(row) + 1
        self._count += 1
        return self._room >= 0 or self._count <= _FEWEST_ROWS

    def _rows(self, turn: Turn) -> Iterator[Row]:
        match turn:
            case Speech(role, text):
                yield self._speech(role, text)
            case ToolUse():
                yield from self._tool(turn)
            case Step(origin, target):
                if self._shows_steps:
                    node = {"from": origin, "to": target, "reason": "intent"}
                    yield {"role": "node_transition", "start_ms": self.now, "node": node}
            case unknown:
                assert_never(unknown)

    def _speech(self, role: str, text: str) -> Row:
        start = self.now + self._dice.randrange(150, 900)
        length = len(text) * _MS_PER_CHARACTER
        self.now = start + length
        row: Row = {"role": role, "text": text}
        if self._shows_both_texts:
            row["content"] = text
        if self._shows_channel:
            row["channel"] = 0 if role == "user" else 1
        if self._shows_words and self._room > _ROOM_FOR_WORDS:
            row["words"] = list(self._words(text, start))
        else:
            row["start_ms"] = start
            row |= {"end_ms": self.now} if self._shows_end else {"duration_ms": length}
        if self._shows_metadata:
            row["metadata"] = self._metadata(role)
        return row

    def _words(self, text: str, at: int) -> Iterator[Row]:
        for word in text.split():
            end = at + len(word) * _MS_PER_CHARACTER
            confidence = self._dice.randrange(80, 100) / 100
            yield {"word": word, "start_ms": at, "end_ms": end, "confidence": confidence}
            at = end + _MS_PER_CHARACTER

    def _metadata(self, role: str) -> Row:
        draw = self._dice.randrange
        if role == "user":
            return {"stt_node_ttfb": draw(80, 400), "eou_delay": draw(200, 900)}
        latency = draw(500, 2_000)
        return {
            "llm_node_ttft": latency // 2,
            "tts_node_ttfb": latency // 4,
            "e2e_latency": latency,
            "interrupted": _chance(self._dice, 5),
        }

    def _tool(self, use: ToolUse) -> Iterator[Row]:
        self._request += 1
        named = {"name": use.name, "request_id": f"call_{self._request:03}"}
        function = {**named, "params": use.params}
        yield {"role": "agent_function", "start_ms": self.now, "tool": function}
        self.now += self._dice.randrange(100, 1_800)
        failed = _chance(self._dice, 10)
        answer = {"error": "timed out"} if failed else {"result": use.result}
        result = {**named, **answer, "is_error": failed}
        yield {"role": "agent_result", "start_ms": self.now, "tool": result}
