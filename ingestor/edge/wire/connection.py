"""One connection to a server: one request and its answer at a time."""

import asyncio
import ssl
from typing import Protocol, cast

from ingestor.core.answer import Answered, Fault
from ingestor.edge.requests import LARGE_BODY_BYTES
from ingestor.edge.wire.reading import Reading

PIECE_BYTES = 2**18
# Over TLS each write is at least one record: encrypted, sealed and unsealed for itself. To copy a
# body behind its head is cheaper, up to about here.
JOINED_BYTES = 2**16
_NOTHING = memoryview(b"")


class Owner(Protocol):
    """Who keeps connections."""

    def joined(self, connection: "Connection") -> None:
        """Note that *connection* is open."""
        ...

    def parted(self, connection: "Connection") -> None:
        """Note that it is closed."""
        ...


class Connection(asyncio.Protocol):
    """Asks, and hears the answer.

    Anything out of order closes it: what is open and waits for nothing is fit for the next request.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._reading = Reading()
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[Answered | Fault] | None = None
        self._unsent = _NOTHING
        self._is_secure = False
        self._is_blocked = False
        self._has_answered = False
        self._end: Fault | None = None

    @property
    def is_free(self) -> bool:
        """Whether the next request may be asked here."""
        return self._waiter is None and not self._transport.is_closing()

    @property
    def is_stale(self) -> bool:
        """Whether it had answered others, and ended without a byte of this answer: the server had
        probably closed it before the request came.
        """
        return self._has_answered and not self._reading.has_begun

    def ask(self, head: bytes, body: bytes) -> asyncio.Future[Answered | Fault]:
        """Send a request; the future is that of the answer, or of what came instead."""
        waiter = self._waiter = self._loop.create_future()
        if self._end is not None:
            self._settle(self._end)
        # uvloop raises when somebody writes to what is closed already; its end is about to be told.
        elif not self._transport.is_closing():
            self._send(head, body)
        return waiter

    def give_up(self) -> None:
        """Wait no longer for the answer."""
        if self._waiter is not None:
            self._settle(Fault.TIMEOUT)

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    def _send(self, head: bytes, body: bytes) -> None:
        if self._is_secure and len(body) <= JOINED_BYTES:
            self._transport.write(head + body)
            return
        if len(body) <= LARGE_BODY_BYTES:
            self._transport.writelines((head, body))
            return
        self._transport.write(head)
        self._unsent = memoryview(body)
        self._send_on()

    def _send_on(self) -> None:
        while self._unsent and not (self._is_blocked or self._transport.is_closing()):
            piece, self._unsent = self._unsent[:PIECE_BYTES], self._unsent[PIECE_BYTES:]
            self._transport.write(piece)

    def _fail(self, fault: Fault) -> None:
        """Note how it ends; who waits is told now, who asks later is told then."""
        self._end = self._end or fault
        self._settle(self._end)

    def _settle(self, found: Answered | Fault) -> None:
        waiter, self._waiter = self._waiter, None
        is_sent = not self._unsent and not self._transport.get_write_buffer_size()
        self._unsent = _NOTHING
        if self._reading.is_reusable and is_sent:
            self._has_answered = True
            self._reading.reset()
        else:
            self._transport.abort()
        # A cancelled one has heard already.
        if waiter is not None and not waiter.done():
            waiter.set_result(found)

    # The loop calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to write to."""
        self._transport = cast("asyncio.Transport", transport)
        self._is_secure = transport.get_extra_info("sslcontext") is not None
        self._owner.joined(self)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for would be taken for the next answer."""
        if self._waiter is None:
            self._fail(Fault.NOT_HTTP)
        elif (found := self._reading.feed(data)) is not None:
            self._settle(found)

    def eof_received(self) -> None:
        """Take the end for that of an answer which has no other; then the connection closes."""
        if self._waiter is not None:
            self._settle(self._reading.end())

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
