"""Finds where partitions are read from when they become ours."""

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import TopicPartition

from ingestor.core.starts import Bounds, Reset, Start, start


async def find_starts(
    consumer: Any, names: Collection[TopicPartition], reset: Reset
) -> Mapping[TopicPartition, Start]:
    """Ask for the committed offsets and the bounds of *names*, and decide.

    What the group never committed is committed here, before the first call is posted. Raises what
    the client does.
    """
    begins = await consumer.beginning_offsets(list(names))
    ends = await consumer.end_offsets(list(names))
    starts = {}
    for name in names:
        bounds = Bounds(begins[name], ends[name])
        starts[name] = start(await consumer.committed(name), bounds, reset)
    if fresh := {name: where.offset for name, where in starts.items() if where.is_new}:
        await consumer.commit(fresh)
    return starts
