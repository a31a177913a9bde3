"""The partitions that are being rescued, each by a task of its own: nobody else waits for them."""

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from ingestor.core.backoff import Backoff
from ingestor.core.record import Partition, Record
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.rescue import EXPECTED, Rescue, rescue
from ingestor.edge.watch import Watch

# Each of them has connections of its own.
MOST_AT_A_TIME = 4
BACKOFF = Backoff(base=1.0, longest=30.0)
# A partition that soon fails again for the same cause is read for longer, and without a word: each
# failure of the client costs the others what they had fetched.
SOON_SECONDS = 60.0
MOST_PASSAGES = 64
PAUSE_SECONDS = 1.0
FORBIDDEN = TopicAuthorizationFailedError.__name__
DICE = random.Random()  # noqa: S311 - spreads retries, guards nothing


@dataclass(slots=True)
class Case:
    """A rescue that goes on until so many *passages* were read without damage; the current one
    begins at *begin*, and *next* is the offset that was not handed out yet.
    """

    begin: int
    passages: int
    task: asyncio.Task[Rescue]
    next: int


@dataclass(frozen=True, slots=True)
class Failure:
    """That the client failed, when and why, and for how many passages it was relieved."""

    at: float
    cause: str
    passages: int


class Rescues:
    """Begins rescues, and gives what they find."""

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch
        self._cases: dict[TopicPartition, Case] = {}
        self._failures: dict[TopicPartition, Failure] = {}
        self._few = asyncio.Semaphore(MOST_AT_A_TIME)
        self._tasks: set[asyncio.Task[Rescue]] = set()

    def __contains__(self, name: TopicPartition) -> bool:
        """Whether partition *name* is being rescued."""
        return name in self._cases

    def has_some(self, names: Iterable[TopicPartition]) -> bool:
        """Whether there is something at hand of any of *names*."""
        return any(name in self._cases and self._cases[name].task.done() for name in names)

    def begin(self, consumer: Any, name: TopicPartition, offset: int, cause: str) -> None:
        """Have *consumer* leave partition *name* alone, and read it from *offset* on."""
        consumer.seek(name, offset)
        consumer.pause(name)
        last, now = self._failures.get(name), time.monotonic()
        if last is not None and last.cause == cause and now - last.at < SOON_SECONDS:
            passages = min(MOST_PASSAGES, last.passages * 2)
        else:
            passages = 1
        if passages == 1 or cause == FORBIDDEN:
            event = "partition_forbidden" if cause == FORBIDDEN else "partition_unreadable"
            self._watch.changed(event, partition=str(Partition(*name)), offset=offset, cause=cause)
        self._failures[name] = Failure(now, cause, passages)
        told = cause if cause == FORBIDDEN else ""
        task = self._start(name, offset, PAUSE_SECONDS, told)
        self._cases[name] = Case(offset, passages, task, offset)

    def read(self, consumer: Any, name: TopicPartition) -> tuple[list[Record], int]:
        """Take what is at hand of partition *name*, and tell which offset comes next; at the end
        *consumer* goes on from there.
        """
        case = self._cases[name]
        if not case.task.done():
            return [], case.next
        found = case.task.result()
        records = found.bite()
        case.next = found.next
        if found.is_over:
            case.passages -= found.is_clean
            if found.next > case.begin and case.passages:
                case.begin = found.next
                case.task = self._start(name, found.next)
            else:
                del self._cases[name]
                consumer.resume(name)
                consumer.seek(name, found.next)
        return records, case.next

    def clear(self) -> None:
        """Give every rescue up."""
        self._cases.clear()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Give every rescue up, and wait until its connections are closed."""
        self.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start(
        self, name: TopicPartition, offset: int, pause: float = 0.0, told: str = ""
    ) -> asyncio.Task[Rescue]:
        work = self._persist(Partition(*name), offset, pause, told)
        task = asyncio.get_running_loop().create_task(work)  # `close` waits for it
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _persist(self, partition: Partition, offset: int, pause: float, told: str) -> Rescue:
        """Try until there is an answer; *pause* when there is nothing, where the client saw
        something. What stands in the way is told, unless it was *told* already.
        """
        attempt = 0
        while True:
            try:
                async with self._few:
                    found = await rescue(self._connection, partition, offset)
            except EXPECTED as error:
                attempt += 1
                if told != (told := type(error).__name__):
                    self._watch.changed(
                        "partition_stuck", partition=str(partition), offset=offset, cause=told
                    )
                await asyncio.sleep(BACKOFF.delay(attempt, DICE.random()))
            else:
                if found.is_empty:
                    await asyncio.sleep(pause)
                return found
