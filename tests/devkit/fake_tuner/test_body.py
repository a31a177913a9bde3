"""Reading a body."""

import json

import pytest

from ingestor.devkit.fake_tuner.body import (
    Absent,
    Body,
    Broken,
    Parsed,
    Unreadable,
    is_json,
    read_body,
)

TEXT = '{"a": "é"}'
READ = Parsed({"a": "é"})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", Absent()),
        (b"null", Parsed(None)),
        (TEXT.encode(), READ),
        (TEXT.encode("utf-8-sig"), READ),
        (TEXT.encode("utf-16"), READ),
        (TEXT.encode("utf-16-le"), READ),
        (TEXT.encode("utf-32"), READ),
        (b'{"a": 1, "a": 2}', Parsed({"a": 2})),
        (rb'"\ud800"', Parsed("\ud800")),
        (b"[Infinity, -Infinity]", Parsed([float("inf"), float("-inf")])),
        (b"9" * 400, Parsed(int("9" * 400))),
        (b"{", Broken(1, "Expecting property name enclosed in double quotes")),
        (b"{} x", Broken(3, "Extra data")),
        (b'"\x01"', Broken(1, "Invalid control character at")),
        (b"  ", Broken(2, "Expecting value")),
        (b"\x1f\x8b\x08\x00", Unreadable()),
        (b'"\xe9"', Unreadable()),
        (TEXT.encode("utf-16")[:-1], Unreadable()),
        (b"9" * 5000, Unreadable()),
        (b"[" * 100_000 + b"]" * 100_000, Unreadable()),
    ],
)
def test_a_body_is_read_as_the_json_module_reads_it(raw: bytes, expected: Body) -> None:
    """What json.loads takes is taken, and what it does not take is told apart as FastAPI does."""
    assert read_body(raw, "application/json") == expected


def test_nan_is_a_number() -> None:
    """NaN is read, though it is no JSON."""
    body = read_body(b"NaN", "application/json")

    assert isinstance(body, Parsed)
    assert json.dumps(body.value) == "NaN"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/json; charset=utf-16", True),
        ("application/vnd.api+json", True),
        ("text/json", False),
        ("application/xml", False),
        ("json", False),
        ("", False),
        (None, False),
    ],
)
def test_content_types_that_say_json(content_type: str | None, *, expected: bool) -> None:
    """JSON is application/json and its +json kin, whatever their parameters."""
    assert is_json(content_type) is expected


def test_a_body_that_does_not_say_it_is_json_stays_bytes() -> None:
    """Without the right Content-Type nothing is parsed, unless that is asked for."""
    assert read_body(b"{}", "text/plain") == Parsed(b"{}")
    assert read_body(b"{}", None, any_content_type=True) == Parsed({})
