"""Writes record batches that no decent producer would, past every check of a client's."""

import asyncio
import struct
import time
from enum import Enum, auto
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

# Where the parts of a batch stand (message format 2).
_CRC, _ATTRIBUTES, _RECORDS = 17, 21, 61
_GZIP, _NO_CODEC = 1, 5
_HEADER = "??header??"


class Poison(Enum):
    """What a reader fails at: a checksum, a codec nobody has, a text that is none, a bad stream."""

    CHECKSUM = auto()
    CODEC = auto()
    HEADER = auto()
    STREAM = auto()


def batch(*values: bytes, poison: Poison | None = None, most_bytes: int = 2**20) -> bytes:
    """Build a batch of *values*, with its checksum right unless that is the *poison*."""
    now = int(time.time() * 1000)  # not long ago: a broker removes what is older than its retention
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, most_bytes)  # noqa: FBT003 - no names
    for number, value in enumerate(values):
        builder.append(number, now, None, value, [(_HEADER, b"x")])
    raw = bytearray(builder.build())
    match poison:
        case Poison.HEADER:
            raw = raw.replace(_HEADER.encode(), b"\xff" * len(_HEADER))
        case Poison.CODEC:
            raw[_ATTRIBUTES + 1] |= _NO_CODEC
        case Poison.STREAM:
            raw[_ATTRIBUTES + 1] |= _GZIP
        case _:
            pass
    checksum = calc_crc32c(raw[_ATTRIBUTES:]) ^ (poison is Poison.CHECKSUM)
    struct.pack_into(">I", raw, _CRC, checksum)
    return bytes(raw)


async def produce(address: str, topic: str, partition: int, raw: bytes) -> None:
    """Append a *raw* batch; raise what the broker says against it."""
    client, where = AIOKafkaClient(bootstrap_servers=address), TopicPartition(topic, partition)
    await client.bootstrap()
    try:
        async with asyncio.timeout(10):
            # A new topic has no leader for a moment, and nobody tells when it has.
            while (error := await _append(client, where, raw)).retriable:  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.05)
    finally:
        await client.close()
    if error.errno:
        raise error


async def _append(client: Any, where: TopicPartition, raw: bytes) -> Any:
    await client._wait_on_metadata(where.topic)  # noqa: SLF001 - nothing public asks for a leader
    node = client.cluster.leader_for_partition(where)
    request = ProduceRequest(
        transactional_id=None,
        required_acks=-1,
        timeout=5_000,
        topics=[(where.topic, [(where.partition, raw)])],
    )
    answer = await client.send(node, request)
    return for_code(answer.topics[0][1][0][1])
