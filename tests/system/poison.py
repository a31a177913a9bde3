"""Breaks batches on the disk of a broker that is down, as a failing disk or a bug would."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiokafka.record.util import calc_crc32c
from brokers import RealKafka

# Where the parts of a batch stand (message format 2).
LENGTH_AT, MAGIC_AT, CHECKSUM_AT, ATTRIBUTES_AT = 8, 16, 17, 21
LAST_DELTA_AT, COUNT_AT, RECORDS_AT = 23, 57, 61
_OVERHEAD = 12

Harm = Callable[[bytearray], None]


@dataclass(frozen=True, slots=True)
class Broken:
    """What a batch is now: its offsets *first* to *last*, and its bytes."""

    first: int
    last: int
    raw: bytes


def harm(kafka: RealKafka, topic: str, partition: int, number: int, do: Harm) -> Broken:
    """Break batch *number* of a partition, from 0, in the file in which the broker keeps it."""
    path: Path = kafka.data / f"{topic}-{partition}" / f"{0:020}.log"
    log = bytearray(path.read_bytes())
    start = 0
    for _ in range(number):
        start += _size(log, start)
    end = start + _size(log, start)
    (base,) = struct.unpack_from(">q", log, start)
    (delta,) = struct.unpack_from(">i", log, start + LAST_DELTA_AT)
    batch = log[start:end]
    do(batch)
    log[start:end] = batch
    path.write_bytes(log)
    return Broken(base, base + delta, bytes(batch))


def flip(position: int) -> Harm:
    """Flip a bit; the checksum stays, and is wrong."""

    def do(batch: bytearray) -> None:
        batch[position] ^= 4

    return do


def overwrite(position: int, content: bytes) -> Harm:
    """Overwrite what stands at *position*, as a failing disk does."""

    def do(batch: bytearray) -> None:
        batch[position : position + len(content)] = content

    return do


def rewrite(position: int, content: bytes) -> Harm:
    """Overwrite what stands at *position*, as a producer with a bug does: its checksum is right."""

    def do(batch: bytearray) -> None:
        batch[position : position + len(content)] = content
        struct.pack_into(">I", batch, CHECKSUM_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))

    return do


def _size(log: bytearray, start: int) -> int:
    length: int = struct.unpack_from(">i", log, start + LENGTH_AT)[0]
    return _OVERHEAD + length
