"""Inflates what a producer compressed, up to a bound: a few bytes can stand for gigabytes."""

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from enum import IntEnum

import cramjam

# Far above what producers put into a batch, and what the process can always spare.
MOST_BYTES = 64 * 2**20
# Memory that a larger batch needed is given back.
_KEPT_BYTES = 8 * 2**20
_GZIP = 16 + zlib.MAX_WBITS
# The frame that the snappy library of the JVM puts around its blocks.
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER = 16


class Codec(IntEnum):
    """How a batch is compressed, as its attributes say it."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


class InflationError(Exception):
    """Says why bytes cannot be inflated."""


class Inflater:
    """Inflates up to *most_bytes* at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        # Memory that is not touched costs nothing; the codecs write into it, and stop at its end.
        self._space = mmap.mmap(-1, most_bytes)
        self._codecs: dict[int, Callable[[bytes], bytes]] = {
            Codec.NONE: bytes,
            Codec.GZIP: self.gzip,
            Codec.SNAPPY: self.snappy,
            Codec.LZ4: self.lz4,
            Codec.ZSTD: self.zstd,
        }

    def inflate(self, codec: int, packed: bytes) -> bytes:
        """Inflate *packed*; raises InflationError when that cannot be done."""
        if (known := self._codecs.get(codec)) is None:
            raise InflationError("a codec that is not known")
        return known(packed)

    def gzip(self, packed: bytes) -> bytes:
        """Inflate one or more members of gzip."""
        inflated, rest = [], bytes(packed)
        left = self._most
        while rest:
            member = zlib.decompressobj(_GZIP)
            try:
                inflated.append(member.decompress(rest, left + 1))
            except zlib.error:
                raise InflationError("a broken gzip stream") from None
            left -= len(inflated[-1])
            if left < 0:
                raise self._too_large()
            if not member.eof:
                raise InflationError("a gzip stream without its end")
            rest = member.unused_data.lstrip(b"\0")  # members may be padded
        return b"".join(inflated)

    def snappy(self, packed: bytes) -> bytes:
        """Inflate snappy, raw or in the frame of the JVM's library."""
        packed = bytes(packed)
        blocks = _xerial_blocks(packed) if packed.startswith(_XERIAL) else (packed,)
        inflated, left = [], self._most
        for block in blocks:
            try:
                left -= cramjam.snappy.decompress_raw_len(block)
                if left < 0:
                    raise self._too_large()
                inflated.append(bytes(cramjam.snappy.decompress_raw(block)))
            except cramjam.DecompressionError:
                raise InflationError("a broken snappy block") from None
        return b"".join(inflated)

    def lz4(self, packed: bytes) -> bytes:
        """Inflate frames of lz4."""
        return self._into_space(cramjam.lz4.decompress_into, packed, "lz4")

    def zstd(self, packed: bytes) -> bytes:
        """Inflate frames of zstd."""
        return self._into_space(cramjam.zstd.decompress_into, packed, "zstd")

    def _into_space(
        self, decompress_into: Callable[[bytes, mmap.mmap], int], packed: bytes, name: str
    ) -> bytes:
        size = self._most
        try:
            size = decompress_into(bytes(packed), self._space)
        except cramjam.DecompressionError as error:
            if "whole buffer" in str(error):
                raise self._too_large() from None
            raise InflationError(f"a broken {name} frame") from None
        else:
            return self._space[:size]
        finally:
            if size > _KEPT_BYTES:
                self._space = mmap.mmap(-1, self._most)

    def _too_large(self) -> InflationError:
        return InflationError(f"inflates to more than {self._most} bytes")


def _xerial_blocks(packed: bytes) -> Iterator[bytes]:
    position = _XERIAL_HEADER
    while position < len(packed):
        try:
            (size,) = struct.unpack_from(">i", packed, position)
        except struct.error:
            raise InflationError("a broken snappy frame") from None
        position += 4
        if not 0 <= size <= len(packed) - position:
            raise InflationError("a broken snappy frame")
        yield packed[position : position + size]
        position += size
