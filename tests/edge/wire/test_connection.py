"""When a connection is fit for the next request, told by a transport that does as it is told."""

import asyncio
from collections.abc import Iterable
from math import inf

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.edge.wire.connection import JOINED_BYTES, PIECE_BYTES, Connection

HEAD = b"POST / HTTP/1.1\r\n\r\n"
MADE = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


class Pipe(asyncio.Transport):
    """Takes what is written; of that, *stuck* bytes stay in it. It may be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.stuck = 0
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take *data*."""
        self.written.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Take all of them."""
        for data in list_of_data:
            self.write(data)

    def get_write_buffer_size(self) -> int:
        """Tell what is stuck."""
        return self.stuck

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self._is_closing

    def abort(self) -> None:
        """Close."""
        self._is_closing = True


class Nobody:
    """Keeps no connections."""

    def joined(self, connection: Connection) -> None:
        """Let it join."""

    def parted(self, connection: Connection) -> None:
        """Let it part."""


def connected() -> tuple[Connection, Pipe]:
    """Open a connection over a pipe."""
    connection, pipe = Connection(Nobody()), Pipe()
    connection.connection_made(pipe)
    return connection, pipe


async def test_who_was_told_is_due_no_more() -> None:
    """From the answer to the next request, nothing ends but the connection's rest."""
    connection, pipe = connected()
    answer = connection.ask(HEAD, b"{}", 5.0)
    assert connection.due == 5.0

    connection.data_received(MADE)

    assert await answer == Answered(201, b"{}")
    assert connection.due == inf
    assert not pipe.is_closing()


async def test_an_answer_before_all_was_sent_ends_the_connection() -> None:
    """What is stuck would still go out, before the next request or in it."""
    connection, pipe = connected()
    answer = connection.ask(HEAD, b"{}", inf)
    pipe.stuck = 1

    connection.data_received(MADE)

    assert await answer == Answered(201, b"{}")
    assert pipe.is_closing()


async def test_time_that_is_up_ends_the_connection() -> None:
    """Who waits is told; where nobody waits, it is only closed."""
    connection, pipe = connected()
    answer = connection.ask(HEAD, b"{}", 5.0)

    connection.expire()

    assert await answer == Unanswered(Fault.TIMEOUT)
    assert connection.due == inf
    assert pipe.is_closing()


async def test_all_of_a_body_is_sent_once() -> None:
    """However long it is: behind its head in one piece, or in several while there is room."""
    sizes = (0, 1, JOINED_BYTES, JOINED_BYTES + 1, JOINED_BYTES + 3 * PIECE_BYTES + 1)
    for size, writes in zip(sizes, (1, 1, 1, 2, 5), strict=True):
        connection, pipe = connected()
        body = bytes(number % 251 for number in range(size))

        answer: asyncio.Future[Answer] = connection.ask(HEAD, body, inf)

        assert b"".join(pipe.written) == HEAD + body
        assert len(pipe.written) == writes
        assert not answer.done()


async def test_a_body_waits_while_there_is_no_room() -> None:
    """Its head and its first bytes go out; the rest follows."""
    connection, pipe = connected()
    connection.pause_writing()
    body = bytes(JOINED_BYTES + 1)

    connection.ask(HEAD, body, inf)
    assert pipe.written == [HEAD + body[:-1]]
    connection.resume_writing()

    assert b"".join(pipe.written) == HEAD + body
