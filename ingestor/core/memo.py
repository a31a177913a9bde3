"""Writes and reads what travels in a commit's metadata: what is finished beyond the committed
offset.

Without it a restart would post again all that was finished behind one unfinished record. A memo
lists stretches of finished records, with a witness each: the record at its begin, known by its
timestamp. A stretch is believed only once its witness was read, and a memo only for the offset with
which it was committed: a topic that was deleted and made again, a group that was mirrored to
another cluster or an offset that was set by hand must not make anybody skip a call that was never
posted. Whatever is unknown, unreadable or too long means "from the committed offset on".

Form: a version character; then in base64, as varints (LEB128), the base, and for each stretch the
distance of its begin from the end of the one before, the difference of its timestamp (zigzag) and
its length; then the CRC-32 of these bytes.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ingestor.core.record import Partition

VERSION = "1"
# What a broker takes by default (offset.metadata.max.bytes).
MOST_CHARACTERS = 4096
_CRC_BYTES = 4
# A byte of a varint: seven bits of the number, and whether more follow.
_BITS, _LOW, _MORE = 7, 0x7F, 0x80
_NUMBERS_OF_A_STRETCH = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """Finished records: from *begin*, where a record of this *timestamp* stands (milliseconds since
    the epoch), up to, not including, *end*.
    """

    begin: int
    timestamp: int
    end: int


@dataclass(frozen=True, slots=True)
class Memo:
    """What is finished beyond *base*, the committed offset: *stretches* in the order of their
    offsets.
    """

    base: int
    stretches: tuple[Stretch, ...]


NO_MEMOS: Mapping[Partition, Memo] = MappingProxyType({})


def write(memo: Memo, most: int = MOST_CHARACTERS) -> str:
    """Write *memo* in at most so many characters: its first stretches, as many as there is room
    for; an empty text when there is none.
    """
    room = (most - len(VERSION)) // 4 * 3 - _CRC_BYTES
    packed = bytearray()
    _append(packed, memo.base)
    base_bytes = len(packed)
    end, timestamp = memo.base, 0
    for stretch in memo.stretches:
        written = len(packed)
        _append(packed, stretch.begin - end)
        _append(packed, _zigzag(stretch.timestamp - timestamp))
        _append(packed, stretch.end - stretch.begin)
        if len(packed) > room:
            del packed[written:]
            break
        timestamp, end = stretch.timestamp, stretch.end
    if len(packed) == base_bytes:
        return ""
    return VERSION + b64encode(packed + _check(packed)).decode()


def read(text: str, committed: int) -> Memo | None:
    """Read the memo that was committed with the offset *committed*; None when *text* holds none."""
    if not text.startswith(VERSION) or len(text) > MOST_CHARACTERS:
        return None
    try:
        packed = b64decode(text.removeprefix(VERSION), validate=True)
    except ValueError:
        return None
    body, check = packed[:-_CRC_BYTES], packed[-_CRC_BYTES:]
    if _check(body) != check:
        return None
    base, *rest = _numbers(body) or (-1,)  # which is no offset
    lengths = rest[2::_NUMBERS_OF_A_STRETCH]
    is_whole = len(rest) == len(lengths) * _NUMBERS_OF_A_STRETCH
    if base != committed or not (lengths and is_whole and all(lengths)):
        return None
    return Memo(base, tuple(_stretches(base, rest)))


def _stretches(base: int, numbers: Sequence[int]) -> Iterator[Stretch]:
    end, timestamp = base, 0
    triples = zip(*[iter(numbers)] * _NUMBERS_OF_A_STRETCH, strict=True)
    for distance, difference, length in triples:
        begin = end + distance
        timestamp += _unzigzag(difference)
        end = begin + length
        yield Stretch(begin, timestamp, end)


def _check(packed: bytes | bytearray) -> bytes:
    return zlib.crc32(packed).to_bytes(_CRC_BYTES)


def _append(packed: bytearray, number: int) -> None:
    if number < 0:
        raise ValueError("stretches are not in order")
    while number >= _MORE:
        packed.append(number & _LOW | _MORE)
        number >>= _BITS
    packed.append(number)


def _numbers(packed: bytes) -> list[int]:
    """Read varints; none at all when the last one is cut off."""
    numbers = []
    number = shift = 0
    for byte in packed:
        number |= (byte & _LOW) << shift
        shift += _BITS
        if byte < _MORE:
            numbers.append(number)
            number = shift = 0
    return [] if shift else numbers


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return number >> 1 if number % 2 == 0 else -(number >> 1) - 1
