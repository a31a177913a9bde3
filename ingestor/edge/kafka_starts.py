"""Finds where partitions are read from when they become ours."""

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import TopicPartition

from ingestor.core.starts import Bounds, Reset, Start, reset_of, start

FIRST_GENERATION = 1


async def find_starts(
    consumer: Any, names: Collection[TopicPartition], reset: Reset, *, is_first: bool
) -> Mapping[TopicPartition, Start]:
    """Ask for the committed offsets, their metadata and the bounds of *names*, and decide;
    *is_first* when nothing was ours before.

    A start that the group did not commit is committed here, before the first call is posted. Raises
    what the client does.
    """
    topics = {name.topic for name in names}
    if reset is Reset.LATEST:
        # Before anything else: the others, who come at the same time, will commit theirs.
        resets = await _resets(consumer, topics, reset, is_first=is_first)
    else:
        resets = dict.fromkeys(topics, reset)
    begins = await consumer.beginning_offsets(list(names))
    ends = await consumer.end_offsets(list(names))
    committed = await _committed(consumer, names)
    starts = {}
    for name in names:
        bounds = Bounds(begins[name], ends[name])
        offset, metadata = committed.get(name, (None, ""))
        starts[name] = start(offset, bounds, resets[name.topic], metadata)
    if fresh := {name: where.offset for name, where in starts.items() if where.is_new}:
        await consumer.commit(fresh)
    return starts


async def _resets(
    consumer: Any, topics: Collection[str], reset: Reset, *, is_first: bool
) -> Mapping[str, Reset]:
    """Decide for each topic where a partition begins of which nothing is committed."""
    every = [
        TopicPartition(topic, number)
        for topic in topics
        for number in consumer.partitions_for_topic(topic) or ()
    ]
    known = {name.topic for name in await _committed(consumer, every)}
    is_new = consumer._coordinator.generation == FIRST_GENERATION  # noqa: SLF001 - nothing public tells the generation
    return {
        topic: reset_of(reset, is_first=is_first, is_known=topic in known and not is_new)
        for topic in topics
    }


async def _committed(
    consumer: Any, names: Collection[TopicPartition]
) -> Mapping[TopicPartition, tuple[int, str]]:
    """Ask for what was committed; nothing is said of what never was."""
    # The public `committed` gives the offset alone, and asks once for each partition.
    coordinator = consumer._coordinator  # noqa: SLF001 - nothing public gives the metadata
    committed: Mapping[TopicPartition, tuple[int, str]]
    committed = await coordinator.fetch_committed_offsets(list(names))
    return committed
