"""One connection to a server: one request and its answer at a time."""

import asyncio
import ssl
from collections.abc import Callable
from math import inf
from typing import Final, Protocol, cast

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.edge.wire.reading import Reading

# To copy a body behind its head is cheaper, up to about here, than to send it for itself: that is
# another piece for the system, and over TLS another record, sealed and unsealed for itself.
JOINED_BYTES: Final = 2**16
PIECE_BYTES = 2**18
_NOTHING = memoryview(b"")


class Owner(Protocol):
    """Who keeps connections."""

    def joined(self, connection: "Connection") -> None:
        """Note that *connection* is open."""
        ...

    def parted(self, connection: "Connection") -> None:
        """Note that it is closed."""
        ...


class Connection:
    """Asks, and hears the answer. It is a protocol of the loop's without being derived from it: so
    it can be compiled.

    Anything out of order closes it: what is open and waits for nothing is fit for the next request.
    *waiter* hears the answer; whoever waits, or rests, does it until the connection is *due*.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._reading = Reading()
        self._transport: asyncio.Transport
        self.is_closing: Callable[[], bool]
        self.waiter: asyncio.Future[Answer] | None = None
        self.due = inf
        self._unsent = _NOTHING
        self._is_blocked = False
        self._has_answered = False
        self._end: Fault | None = None

    @property
    def is_stale(self) -> bool:
        """Whether it had answered others, and ended without a byte of this answer: the server had
        probably closed it before the request came.
        """
        return self._has_answered and self._reading.is_ready

    def ask(self, head: bytes, body: bytes, due: float) -> asyncio.Future[Answer]:
        """Send a request; the future is that of the answer."""
        waiter = self.waiter = self._loop.create_future()
        self.due = due
        if self._end is not None:
            self._tell(Unanswered(self._end))
        # uvloop raises when somebody writes to what is closed already; its end is about to be told.
        elif not self.is_closing():
            if len(body) <= JOINED_BYTES:
                self._transport.write(head + body)
            else:
                self._send_large(head, memoryview(body))
        return waiter

    def expire(self) -> None:
        """Wait no longer for the answer, or for a request."""
        self._transport.abort()
        self._tell(Unanswered(Fault.TIMEOUT))

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    def _send_large(self, head: bytes, body: memoryview) -> None:
        self._transport.write(b"".join((head, body[:JOINED_BYTES])))
        self._unsent = body[JOINED_BYTES:]
        self._send_on()

    def _send_on(self) -> None:
        while self._unsent and not (self._is_blocked or self._transport.is_closing()):
            piece, self._unsent = self._unsent[:PIECE_BYTES], self._unsent[PIECE_BYTES:]
            self._transport.write(piece)

    def _fail(self, fault: Fault) -> None:
        """Note how it ends; who waits is told now, who asks later is told then."""
        self._end = self._end or fault
        self._transport.abort()
        self._tell(Unanswered(self._end))

    def _tell(self, answer: Answer) -> None:
        waiter, self.waiter = self.waiter, None
        self.due = inf
        self._unsent = _NOTHING
        # A cancelled one has heard already.
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    # The loop calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to write to."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_closing = self._transport.is_closing
        self._owner.joined(self)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for would be taken for the next answer."""
        if self.waiter is None:
            self._fail(Fault.NOT_HTTP)
        elif (answer := self._reading.feed(data)) is not None:
            is_sent = not (self._unsent or self._transport.get_write_buffer_size())
            if not (is_sent and self._reading.is_ready):
                self._transport.abort()
            self._has_answered = True
            self._tell(answer)

    def eof_received(self) -> None:
        """Take the end for that of an answer which has no other; then the connection closes."""
        if self.waiter is not None:
            self._transport.abort()
            self._tell(self._reading.end())

    def connection_lost(self, exc: Exception | None) -> None:
        """Take a broken connection for what it is."""
        # In TLS 1.3 our certificate is refused only after the handshake.
        is_refusal = isinstance(exc, ssl.SSLError) and "ALERT" in str(exc.reason)
        self._fail(Fault.TLS if is_refusal else self._reading.broken())
        self._owner.parted(self)

    def pause_writing(self) -> None:
        """Send no more of a large body until the socket takes it; what comes back is still read."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """Go on."""
        self._is_blocked = False
        self._send_on()
