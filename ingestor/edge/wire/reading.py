"""Reads answers out of bytes: what counts as one is decided here, and nothing is waited for.

Where RFC 9112 leaves it to the client, it would rather hear "not HTTP" than take other bytes for a
success: the call is tried again then, and Tuner knows whether it has it.
"""

from contextlib import suppress
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.edge.requests import MOST_ANSWER_BYTES
from ingestor.edge.wire.contents import decoded
from ingestor.edge.wire.head import SWITCHING_PROTOCOLS, Head, read_head, read_plain

# Of an answer together with all the provisional ones before it.
MOST_HEAD_BYTES: Final = 2**16
# The sizes and extensions of chunks, and trailers.
MOST_FRAMING_BYTES = 2**18

_BEGIN = b"HTTP/1."
_END: Final = b"\r\n\r\n"
_NOT_HTTP = Unanswered(Fault.NOT_HTTP)


class Reading:
    """The answers of one connection, one after the other.

    *is_ready* when no byte of an answer came, or nothing but whole ones that others can follow.

    Most answers come in one piece, and are a plain head with a length and a body of that length:
    llhttp would find nothing else in them.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self.is_ready = True
        self._unread = b""
        self._head: Head | None = None
        self._head_bytes = 0
        self._parts: list[bytes] = []
        self._body_bytes = 0
        self._framing_bytes = 0
        self._is_complete = False
        self._is_followed = False
        self._is_kept = False

    def feed(self, data: bytes) -> Answer | None:
        """Read on; None as long as there is more to come."""
        if self.is_ready:
            end = data.find(_END) + len(_END)
            plain = read_plain(data[:end])
            if plain is not None and plain[1] == len(data) and end <= MOST_HEAD_BYTES:
                return Answered(plain[0], data[end:])
        self.is_ready = False
        answer = self._parse(data)
        if isinstance(answer, Answered) and self._is_kept:
            self._reset()
        return answer

    def _parse(self, data: bytes) -> Answer | None:
        try:
            if self._head is None:
                return self._feed_head(self._unread + data)
            return self._feed_body(self._head, data)
        except HttpParserError:
            return _NOT_HTTP

    def end(self) -> Answer:
        """Say what it was, now that the server has said that nothing more will come."""
        if self._head is None or self._head.is_framed:
            return Unanswered(self.broken())
        return self._answer(self._head)

    def broken(self) -> Fault:
        """Say what it was, now that the connection is gone."""
        return Fault.DISCONNECTED if self._head is None else Fault.CUT_OFF

    def _feed_head(self, data: bytes) -> Answer | None:
        while (end := data.find(_END)) >= 0:
            text = data[: end + len(_END)]
            self._head_bytes += len(text)
            head = read_head(text)
            if head is None or self._head_bytes > MOST_HEAD_BYTES:
                return _NOT_HTTP
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
        return None if is_http and len(data) <= MOST_HEAD_BYTES else _NOT_HTTP

    def _feed_body(self, head: Head, data: bytes) -> Answer | None:
        """Read on; of the first *data* the head is a part."""
        before = self._body_bytes
        self._parser.feed_data(data)
        self._framing_bytes += len(data) - (self._body_bytes - before)
        if self._is_followed or self._framing_bytes > MOST_FRAMING_BYTES:
            return _NOT_HTTP
        if self._is_complete or self._body_bytes > MOST_ANSWER_BYTES:
            return self._answer(head)
        return None

    def _switch(self, text: bytes) -> Answer:
        """Take another protocol, which nobody asked for, for an answer; what follows is in it."""
        # llhttp stops there with an error, whatever the rest of the head says.
        with suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(text)
        is_http, self._is_kept = self._is_complete, False
        return Answered(SWITCHING_PROTOCOLS) if is_http else _NOT_HTTP

    def _answer(self, head: Head) -> Answer:
        body = b"".join(self._parts)
        found = decoded(body, head.coding, MOST_ANSWER_BYTES)
        if isinstance(found, Fault):
            return Unanswered(found)
        text, is_whole = found
        self._is_kept = self._is_kept and is_whole and head.is_sound
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
        self._is_kept = self._parser.should_keep_alive()
