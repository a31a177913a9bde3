"""Has aiokafka understand how uvloop says that a connection is gone.

A connection can end between two steps of aiokafka's, which then writes to it. aiokafka expects an
OSError there. asyncio's own loop says nothing and lets the answer fail; uvloop raises RuntimeError,
which ends aiokafka's task for fetching, for the group or for sending for good, mostly without a
word, or comes out of a commit as if it were a bug of ours.
"""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError, KafkaError


class Wire(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka is not typed
    """A connection to a broker."""

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - its signature
        """Send *request*; return what to wait for. KafkaConnectionError when there is nobody."""
        try:
            return super().send(request, expect_response)
        except KafkaError:  # which is a RuntimeError too
            raise
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"{self!r} is gone") from error


def install() -> None:
    """Have every client of this process use it: aiokafka lets nobody choose."""
    conn.AIOKafkaConnection = Wire
