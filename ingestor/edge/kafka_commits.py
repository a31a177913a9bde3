"""Commits offsets, each with a memo as long as the broker takes one."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetMetadataTooLargeError

from ingestor.core.memo import MOST_CHARACTERS, Memo, write
from ingestor.core.record import Partition
from ingestor.edge.watch import Watch

ANSWER_SECONDS = 5.0


class Commits:
    """Commits, and remembers how long a memo may be.

    The broker's limit is a setting of its own that it does not tell. Where a memo is too long the
    next ones are half as long: they say less, which is never wrong.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._most = MOST_CHARACTERS
        self._refused: str | None = None

    async def send(
        self, consumer: Any, offsets: Mapping[Partition, int], memos: Mapping[Partition, Memo]
    ) -> bool:
        """Commit what of *offsets* belongs to partitions of *consumer*; whether all of them were
        acknowledged in time.
        """
        ours = consumer.assignment()
        wanted = {
            TopicPartition(*name): (offset, self._text(memos.get(name)))
            for name, offset in offsets.items()
            if name in ours
        }
        if not wanted:
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._commit(consumer, wanted)
        except (KafkaError, TimeoutError) as error:
            # Around a rebalance this is common: what was not committed is read again.
            self._tell(type(error).__name__)
            return False
        self._tell(None)
        return len(wanted) == len(offsets)

    def _tell(self, cause: str | None) -> None:
        """Tell when it changes why commits are refused, and when they no longer are."""
        if cause == self._refused:
            return
        self._refused = cause
        if cause is None:
            self._watch.changed("committed_again")
        else:
            self._watch.changed("commit_refused", cause=cause)

    async def _commit(
        self, consumer: Any, wanted: Mapping[TopicPartition, tuple[int, str]]
    ) -> None:
        try:
            await consumer.commit(wanted)
        except OffsetMetadataTooLargeError:
            longest = max(len(text) for _, text in wanted.values())
            if not longest:
                raise
            self._most = longest // 2
            self._watch.changed("memo_too_long", characters=longest)
            await consumer.commit({name: offset for name, (offset, _) in wanted.items()})

    def _text(self, memo: Memo | None) -> str:
        return write(memo, self._most) if memo else ""
