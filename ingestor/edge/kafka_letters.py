"""Writes letters to the dead-letter topic.

Not with an idempotent producer: aiokafka's waits for ever while the broker is gone, and after a
refused batch it is stuck until it is made anew. A letter that is written twice names the same
source twice and counts once.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import stop
from ingestor.edge.kafka_letter_topic import prepare

ANSWER_SECONDS = 10.0
# What is too large is for the broker to say: its limit is the one that counts.
MOST_BYTES = 2**30


class KafkaLetters:
    """The dead-letter *topic* of *sources*; connected when the first letter is written.

    The broker has *answer_seconds* for each answer, and a letter half as long again for all of
    them, however many others wait for the connection.
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
        """Write *letter*; None once every in-sync replica has it."""
        # A record has a key or a value: aiokafka refuses to write what has neither.
        key = b"" if letter.key is None and letter.value is None else letter.key
        try:
            async with asyncio.timeout(self._answer_seconds * 1.5):
                producer = self._producer or await self._open()
                await producer.send_and_wait(
                    self._topic, letter.value, key, headers=list(letter.headers)
                )
        except TopicAuthorizationFailedError as error:
            advice = f"topic {self._topic} may not be written: grant Describe and Write on it"
            return NotWritten(type(error).__name__, advice + " to this user")
        except (KafkaError, OSError) as error:
            return NotWritten(type(error).__name__)
        return None

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
