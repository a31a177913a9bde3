"""What producers compressed is inflated; what is broken or too large is said to be."""

import gzip

import cramjam
import pytest
from core.batches.writing import packed
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.batches.inflating import Codec, Inflater, InflationError

SMALL = 10_000
INFLATER = Inflater(SMALL)
CODECS = [*Codec]


@given(st.sampled_from(CODECS), st.binary(max_size=SMALL))
def test_what_is_compressed_is_inflated(codec: Codec, content: bytes) -> None:
    """Up to the bound, to the byte."""
    assert INFLATER.inflate(codec, packed(codec, content)) == content


def test_snappy_is_read_without_the_frame_of_the_jvm() -> None:
    """Other clients write it raw."""
    assert INFLATER.inflate(Codec.SNAPPY, packed(Codec.SNAPPY, b"abc", is_raw=True)) == b"abc"


def test_gzip_may_have_several_members() -> None:
    """With padding between them."""
    assert INFLATER.gzip(gzip.compress(b"a") + b"\0\0" + gzip.compress(b"b")) == b"ab"


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_bomb_is_not_inflated(codec: Codec) -> None:
    """Nor what is one byte too large; afterwards all is as before."""
    for size in (SMALL + 1, 50 * 2**20):
        with pytest.raises(InflationError, match=f"more than {SMALL} bytes"):
            INFLATER.inflate(codec, packed(codec, b"\0" * size))

    assert INFLATER.inflate(codec, packed(codec, b"abc")) == b"abc"


def test_a_bomb_takes_no_memory_in_any_number_of_blocks() -> None:
    """The bound is for all of them together."""
    block = packed(Codec.SNAPPY, b"\0" * (SMALL // 2))
    frame, blocks = block[:16], block[16:]

    assert len(INFLATER.snappy(frame + blocks * 2)) == SMALL
    with pytest.raises(InflationError, match="more than"):
        INFLATER.snappy(frame + blocks * 3)


def test_a_large_batch_leaves_the_next_one_as_it_is() -> None:
    """The space is given back, and made anew."""
    inflater, large = Inflater(), b"ab" * (5 * 2**20)

    assert inflater.zstd(bytes(cramjam.zstd.compress(large))) == large
    assert inflater.zstd(bytes(cramjam.zstd.compress(b"small"))) == b"small"


@pytest.mark.parametrize(
    ("codec", "content", "cause"),
    [
        (Codec.GZIP, b"\x1f\x8bnothing", "a broken gzip stream"),
        (Codec.GZIP, packed(Codec.GZIP, b"abc")[:-4], "a gzip stream without its end"),
        (Codec.SNAPPY, b"\xff" * 9, "a broken snappy block"),
        (Codec.SNAPPY, packed(Codec.SNAPPY, b"abc")[:18], "a broken snappy frame"),
        (Codec.SNAPPY, packed(Codec.SNAPPY, b"abc")[:-1], "a broken snappy frame"),
        (Codec.LZ4, packed(Codec.LZ4, b"abc")[:-3], "a broken lz4 frame"),
        (Codec.ZSTD, packed(Codec.ZSTD, b"abc")[:-3], "a broken zstd frame"),
        (5, b"abc", "a codec that is not known"),
        (7, b"abc", "a codec that is not known"),
    ],
    ids=str,
)
def test_what_is_broken_is_said_to_be(codec: int, content: bytes, cause: str) -> None:
    """With the place and the rule, and no word of a library's."""
    with pytest.raises(InflationError, match=cause):
        INFLATER.inflate(codec, content)


@given(st.sampled_from(CODECS[1:]), st.binary(max_size=400), st.data())
def test_whatever_the_bytes_there_is_one_kind_of_fault(
    codec: Codec, content: bytes, data: st.DataObject
) -> None:
    """Bits that flipped, and what was cut off or put in."""
    raw = bytearray(packed(codec, content))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, max(0, len(raw) - 1)))
        raw[where : where + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        inflated = INFLATER.inflate(codec, bytes(raw))
    except InflationError:
        return
    assert len(inflated) <= SMALL
