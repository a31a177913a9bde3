"""Finds where partitions are read from when they become ours."""

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import TopicPartition

from ingestor.core.starts import Bounds, Reset, Start, start


async def find_starts(
    consumer: Any, names: Collection[TopicPartition], reset: Reset
) -> Mapping[TopicPartition, Start]:
    """Ask for the committed offsets, their metadata and the bounds of *names*, and decide.

    What the group never committed is committed here, before the first call is posted. Raises what
    the client does.
    """
    begins = await consumer.beginning_offsets(list(names))
    ends = await consumer.end_offsets(list(names))
    committed = await _committed(consumer, names)
    starts = {}
    for name in names:
        bounds = Bounds(begins[name], ends[name])
        offset, metadata = committed.get(name, (None, ""))
        starts[name] = start(offset, bounds, reset, metadata)
    if fresh := {name: where.offset for name, where in starts.items() if where.is_new}:
        await consumer.commit(fresh)
    return starts


async def _committed(
    consumer: Any, names: Collection[TopicPartition]
) -> Mapping[TopicPartition, tuple[int, str]]:
    """Ask for what was committed; nothing is said of what never was."""
    # The public `committed` gives the offset alone, and asks once for each partition.
    coordinator = consumer._coordinator  # noqa: SLF001 - nothing public gives the metadata
    committed: Mapping[TopicPartition, tuple[int, str]]
    committed = await coordinator.fetch_committed_offsets(list(names))
    return committed
