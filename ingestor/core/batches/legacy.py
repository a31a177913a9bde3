"""Finds one message of the formats 0 and 1, which old topics still hold.

A compressed message wraps others, and has the offset of the last of them.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingestor.core.batches.inflating import Inflater, InflationError
from ingestor.core.batches.records import Entry, Hole

NEWEST_MAGIC = 1
_PREFIX = struct.Struct(">qiIbb")  # offset, length, checksum, magic, attributes
_CHECKED_FROM, _LENGTH_ENDS = 16, 12
_TIME, _LENGTH = struct.Struct(">q"), struct.Struct(">i")
_CODEC = 0x07


@dataclass(frozen=True, slots=True)
class Message:
    """A message at offset *last*, as written in *raw*; *is_sound* when the checksum is right."""

    last: int
    is_sound: bool
    magic: int
    attributes: int
    raw: bytes

    def read(self, inflater: Inflater) -> Iterator[Entry | Hole]:
        """Read the message, or those it wraps; what cannot be read is a hole."""
        try:
            yield from self._read(inflater)
        except (struct.error, InflationError) as error:
            cause = str(error) if isinstance(error, InflationError) else "a message that is cut off"
            yield Hole(self.last, self.last, self.raw, cause)

    def _read(self, inflater: Inflater) -> Iterator[Entry]:
        position, timestamp = _PREFIX.size, -1
        if self.magic:
            (timestamp,) = _TIME.unpack_from(self.raw, position)
            position += _TIME.size
        key, position = _bytes(self.raw, position)
        value, _ = _bytes(self.raw, position)
        if codec := self.attributes & _CODEC:
            yield from self._unwrap(inflater.inflate(codec, value or b""))
        else:
            yield Entry(self.last, timestamp, key, value, ())

    def _unwrap(self, inner: bytes) -> list[Entry]:
        messages, position = [], 0
        while message := message_at(inner, position):
            if not message.is_sound or message.attributes & _CODEC:
                raise InflationError("a broken message in a compressed one")
            messages.append(message)
            position += len(message.raw)
        if position != len(inner) or not messages:
            raise InflationError("a broken message in a compressed one")
        # In format 1 offsets within count from 0, in format 0 they are the real ones.
        shift = self.last - messages[-1].last
        nothing = Inflater(1)
        return [
            entry._replace(offset=entry.offset + shift)
            for message in messages
            for entry in message._read(nothing)  # noqa: SLF001 - of the same class
        ]


def message_at(raw: bytes, position: int) -> Message | None:
    """Find the message at *position*; None when there is none of these formats that is whole."""
    if len(raw) - position < _PREFIX.size:
        return None
    offset, length, crc, magic, attributes = _PREFIX.unpack_from(raw, position)
    end = position + _LENGTH_ENDS + length
    if not 0 <= magic <= NEWEST_MAGIC or not position + _PREFIX.size <= end <= len(raw):
        return None
    is_sound = offset >= 0 and zlib.crc32(raw[position + _CHECKED_FROM : end]) == crc
    return Message(offset, is_sound, magic, attributes, raw[position:end])


def _bytes(raw: bytes, position: int) -> tuple[bytes | None, int]:
    (length,) = _LENGTH.unpack_from(raw, position)
    position += _LENGTH.size
    if length < 0:
        return None, position
    if length > len(raw) - position:
        raise InflationError("a length beyond the end of the message")
    return raw[position : position + length], position + length
