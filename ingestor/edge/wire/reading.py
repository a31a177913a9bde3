"""Reads answers out of bytes: what counts as one is decided here, and nothing is waited for.

Where RFC 9112 leaves it to the client, it would rather hear "not HTTP" than take other bytes for a
success: the call is tried again then, and Tuner knows whether it has it.
"""

from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ingestor.core.answer import Answered, Fault
from ingestor.edge.requests import MOST_ANSWER_BYTES
from ingestor.edge.wire.contents import decoded
from ingestor.edge.wire.head import SWITCHING_PROTOCOLS, Head, read_head

# Of an answer together with all the provisional ones before it.
MOST_HEAD_BYTES = 2**16
# The sizes and extensions of chunks, and trailers.
MOST_FRAMING_BYTES = 2**18

_BEGIN = b"HTTP/1."
_END = b"\r\n\r\n"


class Reading:
    """The answers of one connection, one after the other; each begins with `reset`.

    *has_begun* once a byte of it came. *is_reusable* once it was whole and another can follow.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.reset()

    def reset(self) -> None:
        """Be ready for the next answer."""
        self.has_begun = False
        self.is_reusable = False
        self._unread = b""
        self._head: Head | None = None
        self._head_bytes = 0
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self._framing_bytes = 0
        self._is_complete = False
        self._is_followed = False

    def feed(self, data: bytes) -> Answered | Fault | None:
        """Read on; None as long as there is more to come."""
        self.has_begun = True
        try:
            if self._head is None:
                return self._feed_head(self._unread + data)
            return self._feed_body(self._head, data)
        except HttpParserError:
            return Fault.NOT_HTTP

    def end(self) -> Answered | Fault:
        """Say what it was, now that the server has said that nothing more will come."""
        if self._head is None or self._head.is_framed:
            return self.broken()
        return self._answer(self._head)

    def broken(self) -> Fault:
        """Say what it was, now that the connection is gone."""
        return Fault.DISCONNECTED if self._head is None else Fault.CUT_OFF

    def _feed_head(self, data: bytes) -> Answered | Fault | None:
        while (end := data.find(_END)) >= 0:
            text = data[: end + len(_END)]
            self._head_bytes += len(text)
            head = read_head(text)
            if head is None or self._head_bytes > MOST_HEAD_BYTES:
                return Fault.NOT_HTTP
            if head.status == SWITCHING_PROTOCOLS:
                return self._switch(text)
            if not head.is_provisional:
                self._head = head
                self._framing_bytes = -len(text)
                return self._feed_body(head, data)
            self._parser.feed_data(text)
            self._is_complete = False
            data = data[len(text) :]
        self._unread = data
        is_http = data.startswith(_BEGIN[: len(data)])
        return None if is_http and len(data) <= MOST_HEAD_BYTES else Fault.NOT_HTTP

    def _feed_body(self, head: Head, data: bytes) -> Answered | Fault | None:
        """Read on; of the first *data* the head is a part."""
        before = self._body_bytes
        self._parser.feed_data(data)
        self._framing_bytes += len(data) - (self._body_bytes - before)
        if self._is_followed or self._framing_bytes > MOST_FRAMING_BYTES:
            return Fault.NOT_HTTP
        if self._is_complete or self._body_bytes > MOST_ANSWER_BYTES:
            return self._answer(head)
        return None

    def _switch(self, text: bytes) -> Answered | Fault:
        """Take another protocol, which nobody asked for, for an answer; what follows is in it."""
        # llhttp stops there with an error, whatever the rest of the head says.
        with suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(text)
        is_http, self.is_reusable = self._is_complete, False
        return Answered(SWITCHING_PROTOCOLS) if is_http else Fault.NOT_HTTP

    def _answer(self, head: Head) -> Answered | Fault:
        body = b"".join(self._parts)
        found = decoded(body, head.coding, MOST_ANSWER_BYTES)
        if isinstance(found, Fault):
            return found
        text, is_whole = found
        self.is_reusable = self.is_reusable and is_whole and head.is_sound
        return Answered(head.status, text, head.retry_after, is_whole)

    # llhttp calls these

    def on_message_begin(self) -> None:
        """Note a second answer to one request."""
        self._is_followed = self._is_complete

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self._parts.append(data)
        self._body_bytes += len(data)

    def on_message_complete(self) -> None:
        """Note that it is whole."""
        self._is_complete = True
        self.is_reusable = self._parser.should_keep_alive()
