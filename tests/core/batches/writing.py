"""Writes batches as a broker stores them, every field of which a test may set wrong, in plain
Python that shares nothing with the reader.
"""

import gzip
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import cramjam
from aiokafka.record.util import calc_crc32c

from ingestor.core.batches.inflating import Codec
from ingestor.core.batches.passage import Fetched
from ingestor.core.record import Partition

WHERE = Partition("calls", 3)
STAMPED, TRANSACTIONAL, CONTROL = 0x08, 0x10, 0x20
TIME = 1_781_108_062_500
LENGTH_AT, MAGIC_AT, CHECKSUM_AT = 8, 16, 17
_XERIAL = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"


@dataclass(frozen=True, slots=True)
class Item:
    """A record to write, at *offset* after the begin of its batch."""

    offset: int = 0
    value: bytes | None = b"value"
    key: bytes | None = None
    headers: tuple[tuple[bytes, bytes | None], ...] = ()
    time: int = 0


def varint(number: int) -> bytes:
    """Write a number in zigzag and in groups of seven bits."""
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*written, left))


def text(content: bytes | None) -> bytes:
    """Write bytes behind their length."""
    return varint(-1) if content is None else varint(len(content)) + content


def bare(item: Item) -> bytes:
    """Write a record without its length."""
    named = b"".join(text(name) + text(value) for name, value in item.headers)
    numbers = b"\0" + varint(item.time) + varint(item.offset)
    return numbers + text(item.key) + text(item.value) + varint(len(item.headers)) + named


def record(item: Item) -> bytes:
    """Write a record."""
    return text(bare(item))


def packed(codec: int, payload: bytes, *, is_raw: bool = False) -> bytes:
    """Compress *payload*; *is_raw* is snappy without the frame of the JVM's library."""
    match codec:
        case Codec.GZIP:
            return gzip.compress(payload, mtime=0)
        case Codec.SNAPPY:
            block = bytes(cramjam.snappy.compress_raw(payload))
            return block if is_raw else _XERIAL + struct.pack(">i", len(block)) + block
        case Codec.LZ4:
            return bytes(cramjam.lz4.compress(payload))
        case Codec.ZSTD:
            return bytes(cramjam.zstd.compress(payload))
        case _:
            return payload


def batch(
    base: int = 0,
    items: Sequence[Item] = (),
    *,
    payload: bytes | None = None,
    codec: int = 0,
    attributes: int = 0,
    delta: int | None = None,
    count: int | None = None,
    producer: int = -1,
) -> bytes:
    """Write a batch from offset *base* on with a right checksum; *payload* is written instead of
    the *items*, as it is.
    """
    written = b"".join(map(record, items))
    checked = struct.pack(
        ">hiqqqhii",
        attributes | codec,
        (items[-1].offset if items else 0) if delta is None else delta,
        TIME,
        TIME + 1_000,
        producer,
        0,
        -1,
        len(items) if count is None else count,
    ) + (packed(codec, written) if payload is None else payload)
    length = 9 + len(checked)
    return struct.pack(">qiibI", base, length, 0, 2, calc_crc32c(checked)) + checked


def numbered(
    base: int, count: int, *, codec: int = 0, attributes: int = 0, producer: int = -1
) -> bytes:
    """Write a batch whose values are its offsets."""
    items = [Item(number, b"%d" % (base + number)) for number in range(count)]
    return batch(base, items, codec=codec, attributes=attributes, producer=producer)


def marker(base: int, producer: int, *, is_commit: bool) -> bytes:
    """Write what ends a transaction."""
    item = Item(0, b"\0\0\0\0\0\0", b"\0\0\0\1" if is_commit else b"\0\0\0\0")
    return batch(base, [item], attributes=CONTROL | TRANSACTIONAL, producer=producer)


def message(
    offset: int, value: bytes | None, *, magic: int = 1, codec: int = 0, key: bytes | None = None
) -> bytes:
    """Write a message of format 0 or 1."""

    def sized(content: bytes | None) -> bytes:
        return (
            struct.pack(">i", -1) if content is None else struct.pack(">i", len(content)) + content
        )

    stamp = struct.pack(">q", TIME) if magic else b""
    checked = struct.pack(">bb", magic, codec) + stamp + sized(key) + sized(value)
    return struct.pack(">qiI", offset, 4 + len(checked), zlib.crc32(checked)) + checked


def spoilt(raw: bytes, position: int, content: bytes) -> bytes:
    """Overwrite *raw* at *position*."""
    return raw[:position] + content + raw[position + len(content) :]


def fetched(
    *batches: bytes, start: int = 0, end: int = 2**40, aborted: tuple[tuple[int, int], ...] = ()
) -> Fetched:
    """Say what a broker sent."""
    return Fetched(WHERE, start, end, b"".join(batches), aborted)
