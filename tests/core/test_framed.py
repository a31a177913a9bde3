"""JSON framed by a Schema Registry."""

import json

import pytest
from builders import event, framed
from core.strategies import REFERENCE
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.doors.framed import is_framed, unframe

AVRO = bytes([0x14]) + b"orders-7f3a" + bytes([2, 0, 0xFE])


@given(st.integers(0, 150_000_000) | st.integers(31_000, 32_000))
def test_a_frame_is_known_by_its_first_byte_whatever_the_schema(schema_id: int) -> None:
    """Some ids look like the begin of UTF-32; what comes after them does not."""
    value = framed(event(), schema_id)

    assert is_framed(value)
    assert unframe(value) == event()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_json_in_other_encodings_is_not_framed(encoding: str) -> None:
    """None of these begins with a zero."""
    assert not is_framed(REFERENCE.decode().encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("space", ["", " ", "\n", "\r\n", "\t"])
def test_wide_characters_are_not_a_frame(encoding: str, space: str) -> None:
    """Their zeros go on."""
    assert not is_framed((space + json.dumps({"call_id": "x"})).encode(encoding))


def test_nothing_is_not_framed() -> None:
    """An empty value is no frame; that it is no JSON is found later."""
    assert not is_framed(b"")


@table(
    "payload, inner",
    {
        "an object": (b"{}", b"{}"),
        "an array": (b"[]", b"[]"),
        "spaces first": (b" \r\n\t{}", b" \r\n\t{}"),
        "a byte order mark first": (b"\xef\xbb\xbf{}", b"\xef\xbb\xbf{}"),
        "Avro": (AVRO, None),
        "a text": (b'"x"', None),
        "nothing": (b"", None),
    },
)
def test_a_frame_may_hold_something_else_than_json(payload: bytes, inner: bytes | None) -> None:
    """Avro and Protobuf are framed alike."""
    assert unframe(framed(payload)) == inner


def test_half_a_frame_holds_nothing() -> None:
    """A value shorter than a frame has no payload."""
    assert unframe(b"\0\0\0") is None
