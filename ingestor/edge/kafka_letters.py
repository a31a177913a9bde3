"""Writes letters to the dead-letter topic.

Not with an idempotent producer: aiokafka's waits for ever while the broker is gone, and after a
refused batch it is stuck until it is made anew. A letter that is written twice names the same
source twice and counts once.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import DefaultPartitioner

from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.core.parts import cut, most_parts
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import stop
from ingestor.edge.kafka_letter_topic import prepare

ANSWER_SECONDS = 10.0
# What is too large is for the broker to say: its limit is the one that counts.
MOST_BYTES = 2**30


def key(letter: Letter) -> bytes | None:
    """Give the key to write: a record has one, or a value, and aiokafka writes none without."""
    return b"" if letter.key is None and letter.value is None else letter.key


class KafkaLetters:
    """The dead-letter *topic* of *sources*; connected when the first letter is written.

    The broker has *answer_seconds* for each answer, and a letter half as long again for all of
    them (for each part of one that has to be cut), however many others wait for the connection.
    """

    def __init__(
        self,
        connection: Connection,
        topic: str,
        *,
        sources: Sequence[str] = (),
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._sources = sources
        self._answer_seconds = answer_seconds
        self._producer: Any = None
        self._one = asyncio.Lock()

    async def prepare(self) -> Prepared | Unfit | NotWritten:
        """See that the topic is there and fit for the letters of *sources*; make it if it may be
        made.
        """
        return await prepare(
            self._connection, self._topic, self._sources, answer_seconds=self._answer_seconds
        )

    async def write(self, letter: Letter) -> NotWritten | None:
        """Write *letter*, in parts if it has to be; None once every in-sync replica has it."""
        problem = await self._tell(self._send(letter))
        counts = _counts(letter)
        # The tracer of Python 3.11 loses sight of a coroutine that goes on after a `throw`.
        while (  # pragma: no branch - tests go both ways, unseen
            problem is not None and problem.is_letters_own and (count := next(counts, 0))
        ):
            problem = await self._tell(self._send_apart(letter, count))
        return problem

    async def _tell(self, sending: Coroutine[Any, Any, None]) -> NotWritten | None:
        try:
            await sending
        except TopicAuthorizationFailedError as error:
            remedy = f"topic {self._topic} may not be written: grant Describe and Write on it"
            return NotWritten(type(error).__name__, f"{remedy} to this user")
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            remedy = f"raise max.message.bytes of {self._topic}: a letter is too large in any parts"
            return NotWritten(type(error).__name__, remedy, is_letters_own=True)
        except (KafkaError, OSError) as error:
            await self._replace_broken()
            return NotWritten(type(error).__name__)
        return None

    async def _replace_broken(self) -> None:
        """Let go of a producer whose task for sending has ended: it would fail for ever."""
        producer = self._producer
        if producer is not None and producer._sender.sender_task.done():  # noqa: SLF001 - nothing public shows it
            await self.close()

    async def _send(self, letter: Letter) -> None:
        async with self._patience():
            producer = self._producer or await self._open()
            await producer.send_and_wait(
                self._topic, letter.value, key(letter), headers=list(letter.headers)
            )

    async def _send_apart(self, letter: Letter, count: int) -> None:
        """Write *letter* in so many parts, each in a batch of its own, one after the other to one
        partition.
        """
        partition: int | None = None
        for part in cut(letter, count) if count > 1 else [letter]:
            async with self._patience():
                producer = self._producer or await self._open()
                if partition is None:
                    every = sorted(await producer.partitions_for(self._topic))
                    partition = DefaultPartitioner()(key(part), every, every)
                batch = producer.create_batch()
                batch.append(
                    timestamp=None, key=key(part), value=part.value, headers=list(part.headers)
                )
                batch.close()
                await (await producer.send_batch(batch, self._topic, partition=partition))

    def _patience(self) -> asyncio.Timeout:
        return asyncio.timeout(self._answer_seconds * 1.5)

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)

    async def _open(self) -> Any:
        async with self._one:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._connection.options(),
                    acks="all",
                    compression_type="lz4",
                    request_timeout_ms=int(self._answer_seconds * 1000),
                    max_request_size=MOST_BYTES,
                )
                try:
                    await producer.start()
                except BaseException:
                    await stop(producer)
                    raise
                self._producer = producer
            return self._producer


def _counts(letter: Letter) -> Iterator[int]:
    """Double the number of parts; one at first, since the letter may have been too large together
    with others.
    """
    count = 1
    while count <= most_parts(letter):
        yield count
        count *= 2
