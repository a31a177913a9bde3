"""Bytes to JSON, and what no server survives."""

import json
import math
import sys
import tracemalloc

import pytest
from core.strategies import anything, bodies, many
from core.tables import table
from core.tuner_model import is_poison
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.parsing import may_be_poisoned, parse, poison, to_utf8
from ingestor.core.problem import Problem

SAID = {"call_id": "Gr\u00fc\u00dfe \U0001f600"}
TEXT = json.dumps(SAID, ensure_ascii=False)
# Where Python's parser says that a comma is too many: at the comma, or behind it.
TRAILING = 3 if sys.version_info >= (3, 13) else 4
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    """A FastAPI server reads them all, with or without a byte order mark."""
    assert parse(TEXT.encode(encoding)) == SAID


@table(
    "text, expected",
    {
        "of equal keys the last": (b'{"a": 1, "a": 2}', {"a": 2}),
        "escaped keys are keys": (b'{"call\\u005fid": 1}', {"call_id": 1}),
        "an escaped pair is one character": (b'"\\ud83d\\ude00"', "\U0001f600"),
        "an integer as long as Python reads": (b"9" * 4300, int("9" * 4300)),
        "a longer one is beyond all numbers": (b"9" * 10_000, math.inf),
        "and so below zero": (b"-" + b"9" * 10_000, -math.inf),
        "as is a large exponent": (b"1e400", math.inf),
        "spaces around": (b" \t\r\n1 ", 1),
        "a deleted character is none of the control characters": (b'"\x7f"', "\x7f"),
    },
)
def test_json_is_read_as_python_reads_it(text: bytes, expected: object) -> None:
    """Whoever posts what is accepted here finds the same at the other end."""
    assert parse(text) == expected


@table(
    "text, rule",
    {
        "nothing": (b"", "is not JSON (line 1, column 1)"),
        "half of it": (b'{"a":', "is not JSON (line 1, column 6)"),
        "something after it": (b"{}\n{}", "is not JSON (line 2, column 1)"),
        "a trailing comma": (b"[1,]", f"is not JSON (line 1, column {TRAILING})"),
        "a raw control character": (b'"\x01"', "is not JSON (line 1, column 2)"),
        "a raw line break": (b'"\n"', "is not JSON (line 1, column 2)"),
        "an escape that is none": (b'"\\q"', "is not JSON (line 1, column 2)"),
        "bytes that are no text": (b'"\xff"', "is not JSON (byte 1 is not utf-8)"),
        "half a character of UTF-16": (b"\0{\0}\0", "is not JSON (byte 4 is not utf-16-be)"),
        "a hundred thousand brackets": (b"[" * 100_000, "is nested too deeply"),
        "and braces": (b'{"a":' * 100_000, "is nested too deeply"),
    },
)
def test_what_is_not_json_is_a_problem(text: bytes, rule: str) -> None:
    """The message names the place; what stands there it does not quote."""
    assert parse(text) == Problem("", rule)


NAN = "is NaN or Infinity, which is not JSON"
SURROGATE = "has a lone surrogate, which is not Unicode"
BROKEN_KEY = "the key has a lone surrogate, which is not Unicode"


@table(
    "text, problems",
    {
        "a clean event": (b'{"a": [1, 1.5, null, true, "\\ud83d\\ude00", {"b": ""}]}', []),
        "NaN": (b'{"a": [0, NaN]}', [Problem("a[1]", NAN)]),
        "Infinity": (b'{"a": {"b": Infinity}}', [Problem("a.b", NAN)]),
        "minus Infinity": (b'{"a": -Infinity, "b": 1}', [Problem("a", NAN)]),
        "the text NaN is a text": (b'{"a": "NaN"}', []),
        "a number beyond all numbers is valid JSON": (b'{"a": 1e400}', []),
        "the first half of a pair": (b'{"a": "\\ud83d"}', [Problem("a", SURROGATE)]),
        "the second half": (b'{"a": "x\\ude00x"}', [Problem("a", SURROGATE)]),
        "the halves in the wrong order": (b'["\\ude00\\ud83d"]', [Problem("[0]", SURROGATE)]),
        "a surrogate in UTF-8": (b'["\xed\xa0\xbd"]', [Problem("[0]", SURROGATE)]),
        "in a key": (b'{"a": {"\\ud83d": 1}}', [Problem("a.(key)", BROKEN_KEY)]),
        "below such a key": (
            b'{"\\ud83d": [NaN]}',
            [Problem("(key)", BROKEN_KEY), Problem("(key)[0]", NAN)],
        ),
        "alone": (b'"\\ud83d"', [Problem("", SURROGATE)]),
        "all of them, in their order": (
            b'[NaN, {"a": "\\ud83d", "b": {}, "c": NaN}, [], NaN]',
            [
                Problem("[0]", NAN),
                Problem("[1].a", SURROGATE),
                Problem("[1].c", NAN),
                Problem("[3]", NAN),
            ],
        ),
        "what an equal key hides is not there": (b'{"a": NaN, "a": 1}', []),
    },
)
def test_what_a_server_does_not_survive_is_found_wherever_it_stands(
    text: bytes, problems: list[Problem]
) -> None:
    """It answers 500 to NaN, infinities and lone surrogates, and is then asked again for ever."""
    assert list(poison(parse(text))) == problems


@many
@given(anything)
def test_poison_is_found_in_any_event(text: bytes) -> None:
    """A second search, made differently, finds it in the same events."""
    parsed = parse(text)

    assert isinstance(parsed, Problem) or any(poison(parsed)) == is_poison(text)


def test_the_search_takes_no_more_room_than_an_event_is_deep() -> None:
    """A small event that is deep and wide once took gigabytes."""
    deep_and_wide = parse(b"[" * 500 + b",".join([b"1"] * 100_000) + b"]" * 500)

    tracemalloc.start()
    found = list(poison(deep_and_wide))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert not found
    assert peak < 2**20


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_is_brought_into_utf_8(encoding: str) -> None:
    """What is cut and spliced is one encoding, without a mark."""
    assert to_utf8(TEXT.encode(encoding)) == TEXT.encode()


def test_utf_8_is_not_copied() -> None:
    """The usual case costs nothing."""
    text = TEXT.encode()

    assert to_utf8(text) is text


def test_what_is_not_text_cannot_be_brought_into_utf_8() -> None:
    """Half a pair in UTF-16 is an error, which the caller expects."""
    with pytest.raises(UnicodeError):
        to_utf8('{"a":"\ud83d"}'.encode("utf-16-be", "surrogatepass"))


@many
@given(bodies)
def test_what_is_brought_into_utf_8_says_the_same(text: bytes) -> None:
    """Only the bytes change."""
    parsed = parse(text)
    if not isinstance(parsed, Problem) and not any(poison(parsed)):
        assert repr(parse(to_utf8(text))) == repr(parsed)


ODD_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=6)
ODD = st.recursive(
    st.none() | st.floats() | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(value=ODD, is_ascii=st.booleans(), encoding=st.sampled_from(ENCODINGS))
def test_what_is_not_looked_through_has_nothing_to_find(
    value: object, *, is_ascii: bool, encoding: str
) -> None:
    """However it is written; and what is plain is not looked through in vain."""
    written = json.dumps(value, ensure_ascii=is_ascii)
    text = written.encode(encoding, "surrogatepass")
    parsed = parse(text)

    found = [] if isinstance(parsed, Problem) else [*poison(parsed)]

    assert may_be_poisoned(text) or not found


def test_plain_text_is_not_looked_through() -> None:
    """That is nearly all there is."""
    assert not may_be_poisoned(TEXT.encode())
    assert not may_be_poisoned(TEXT.encode("utf-8-sig"))
