"""Brings an accepted call into the one form in which Tuner is taken to store it."""

from functools import cache
from types import NoneType
from typing import Any

from pydantic import BaseModel

from ingestor.devkit.fake_tuner.model import AnyCall

# No public page says where seconds end; below this they would be milliseconds of early 1970.
_SECONDS_BELOW = 10**10
# Free-form values are dictionaries, or among the extras: what is no model is left as it is.
_FLAT = frozenset((str, int, float, bool, dict, NoneType))


def normalise(call: AnyCall) -> dict[str, Any]:
    """Return *call* as plain values: times in epoch milliseconds, what was left out derived.

    Absent fields are None, unknown keys of segments are kept, other unknown keys are gone.
    """
    stored: dict[str, Any] = _plain(call)
    for name in ("start_timestamp", "end_timestamp"):
        stored[name] = to_milliseconds(stored[name])
    if stored["duration_ms"] is None:
        stored["duration_ms"] = stored["end_timestamp"] - stored["start_timestamp"]
    if stored["transcript"] is None:
        stored["transcript"] = _transcript(stored["transcript_with_tool_calls"])
    return stored


def to_milliseconds(timestamp: int) -> int:
    """Read a Unix time that may be in seconds or in milliseconds."""
    return timestamp * 1000 if timestamp < _SECONDS_BELOW else timestamp


def _transcript(segments: list[dict[str, Any]]) -> str | None:
    spoken = [
        f"{segment['role']}: {segment['text']}"
        for segment in segments
        if segment["role"] in ("user", "agent") and segment["text"]
    ]
    return "\n".join(spoken) or None


def _plain(value: Any) -> Any:
    """Turn models into dictionaries; not pydantic's own way, which stops at 255 nested levels."""
    if type(value) in _FLAT:
        return value
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    model: type[BaseModel] = type(value)
    names = _names(model)
    known = {names[name]: _plain(held) for name, held in vars(value).items()}
    return known | (value.model_extra or {})


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    return {name: field.alias or name for name, field in model.model_fields.items()}
