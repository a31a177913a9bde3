"""Has aiokafka notice that a connection is gone, however it went.

It can end between two steps of aiokafka's, which then writes to it. aiokafka expects an
OSError there. asyncio's own loop says nothing and lets the answer fail; uvloop raises RuntimeError,
which ends aiokafka's task for fetching, for the group or for sending for good, mostly without a
word, or comes out of a commit as if it were a bug of ours.

Or it can go silently: nobody answers any more. aiokafka gives every request the time that a join
may take, which is longer than the session. A member whose heartbeat hangs for so long loses its
partitions to another and goes on posting from them. What a broker answers at once has to be
answered soon.
"""

import asyncio
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError, KafkaError

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
        return asyncio.wait_for(answer, self.prompt_seconds) if is_prompt else answer


def install() -> None:
    """Have every client of this process use it: aiokafka lets nobody choose."""
    conn.AIOKafkaConnection = Wire
