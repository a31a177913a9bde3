"""Has aiokafka notice that a connection is gone, however it went.

It can end between two steps of aiokafka's, which then writes to it. aiokafka expects an
OSError there. asyncio's own loop says nothing and lets the answer fail; uvloop raises RuntimeError,
which ends aiokafka's task for fetching, for the group or for sending for good, mostly without a
word, or comes out of a commit as if it were a bug of ours.

Or it can go silently: nobody answers any more. aiokafka gives every request the time that a join
may take, which is longer than the session. A member whose heartbeat hangs for so long loses its
partitions to another and goes on posting from them. What a broker answers at once has to be
answered soon.

And it is read without the copies that aiokafka makes of every answer.
"""

import asyncio
import time
import weakref
from collections.abc import Awaitable
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.fetch import FetchResponse_v11

from ingestor.edge.kafka_fetches import decode_fetch, read_correlation
from ingestor.edge.kafka_frames import Frames, begin

# Metadata, FindCoordinator, Heartbeat, ApiVersions: two such waits leave time, within a session, to
# find the coordinator again. Not a commit: it can wait for a join on the same connection.
PROMPT = frozenset({3, 10, 12, 18})


class Wire(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka is not typed
    """A connection to a broker; what is `PROMPT` is answered within *prompt_seconds*."""

    prompt_seconds = 3.0

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - its signature
        """Send *request*; return what to wait for, which raises TimeoutError when it takes too
        long. KafkaConnectionError when there is nobody.
        """
        try:
            answer = super().send(request, expect_response)
        except KafkaError:  # which is a RuntimeError too
            raise
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"{self!r} is gone") from error
        is_prompt = request.API_KEY in PROMPT
        return _within(self.prompt_seconds, answer) if is_prompt else answer

    def _create_reader_task(self) -> Any:
        """Read frames; what it makes is left to wait for the end of the stream."""
        this = weakref.ref(self)

        def take(frame: bytearray) -> None:
            if (wire := this()) is not None:
                wire._handle_frame(frame)  # noqa: SLF001 - it is this one

        frames = Frames(self._protocol, self._reader, take)
        begin(frames, self._writer.transport)
        return super()._create_reader_task()

    def _handle_frame(self, resp: bytearray) -> None:
        """Decode an answer, and hand it to whoever waits."""
        expected, request, answer = self._requests[0]
        is_fetch = expected is not None and request.RESPONSE_TYPE is FetchResponse_v11
        if not is_fetch or read_correlation(resp) != expected:
            super()._handle_frame(bytes(resp))
            return
        if not answer.done():
            answer.set_result(decode_fetch(resp))
        self._last_action = time.monotonic()
        self._requests.popleft()


async def _within(seconds: float, answer: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await answer


def install() -> None:
    """Have every client of this process use it: aiokafka lets nobody choose."""
    conn.AIOKafkaConnection = Wire
