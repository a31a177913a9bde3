"""The form in which calls are stored."""

from typing import Any

import pytest
from devkit.fake_tuner.practice import ROW, ROWS, call, call_saying, call_with

from ingestor.devkit.fake_tuner.model import MODELS
from ingestor.devkit.fake_tuner.normal_form import normalise, to_milliseconds


def stored(**changes: Any) -> dict[str, Any]:
    return normalise(MODELS["current"].validate_python(call(**changes)))


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [
        (0, 0),
        (-5, -5000),
        (10**10 - 1, (10**10 - 1) * 1000),
        (10**10, 10**10),
        (10**400, 10**400),
    ],
)
def test_the_unit_of_a_time_shows_in_its_size(timestamp: int, milliseconds: int) -> None:
    """Below 10^10 a time is taken for seconds."""
    assert to_milliseconds(timestamp) == milliseconds


def test_a_missing_duration_is_derived() -> None:
    """Start and end make a duration, each in its own unit."""
    derived = stored(start_timestamp=1781108000, end_timestamp=1781108062500)

    assert derived["duration_ms"] == 62500


def test_a_given_duration_stays() -> None:
    """A duration that contradicts the times is kept."""
    assert stored(duration_ms=0)["duration_ms"] == 0


def test_a_missing_transcript_is_derived_from_what_was_said() -> None:
    """Speech rows with text make lines; other rows and silent ones do not."""
    rows = [
        {**ROW, "role": "agent", "text": "Hello."},
        {"role": "agent_function", "text": "not speech"},
        {**ROW, "text": ""},
        {**ROW, "text": "My balance?"},
    ]

    assert stored(**{ROWS: rows})["transcript"] == "agent: Hello.\nuser: My balance?"


def test_a_given_transcript_stays() -> None:
    """A transcript that says something else is kept, an empty one too."""
    assert stored(transcript="")["transcript"] == ""


def test_where_nothing_was_said_there_is_no_transcript() -> None:
    """Rows without text derive none."""
    assert stored(**call_with(role="agent_function"))["transcript"] is None


def test_free_form_values_are_stored_as_they_came() -> None:
    """Nesting deeper than pydantic itself would write, lists within lists: all is kept."""
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]

    kept = stored(**call_saying(extra=deep), metadata={"deep": deep})

    assert kept["metadata"] == {"deep": deep}
    assert kept[ROWS][0]["extra"] == deep


def test_what_was_not_sent_is_none() -> None:
    """The normal form has every field."""
    assert stored()["call_cost"] is None
    assert stored()[ROWS][0] == {
        **ROW,
        "end_ms": 3000,
        "words": None,
        "node": None,
        "tool": None,
        "metadata": {},
    }
