"""Numbers of variable length end, or are broken."""

import pytest
from core.batches.writing import varint as written
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.batches.varints import BrokenError, varint


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_what_is_written_is_read(number: int, before: bytes, after: bytes) -> None:
    """Every number of 64 bits, wherever it stands."""
    raw = before + written(number) + after

    assert varint(raw, len(before), len(raw)) == (number, len(raw) - len(after))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x80", b"\xff" * 9, b"\x80" * 10 + b"\1", b"\xff" * 50, b"\xff" * 9 + b"\x7f"],
    ids=["nothing", "cut off", "cut off late", "too long", "without end", "beyond 64 bits"],
)
def test_what_does_not_end_is_broken(raw: bytes) -> None:
    """Nobody waits for its end."""
    with pytest.raises(BrokenError, match="does not end"):
        varint(raw, 0, len(raw))


def test_nothing_is_read_beyond_the_end() -> None:
    """The end of a record hides what stands behind it."""
    with pytest.raises(BrokenError):
        varint(b"\x80\1", 0, 1)
