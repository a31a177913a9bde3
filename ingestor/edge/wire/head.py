"""Decides what the head of an answer says about the answer.

llhttp checks the grammar; but it takes RTSP and HTTP/0.9 for HTTP/1, any byte in a reason, and
codings of the transfer that nobody asked for.
"""

import re
from functools import lru_cache
from typing import NamedTuple

SWITCHING_PROTOCOLS = 101
# Answers of one server differ in their heads by the date, which changes once a second, and perhaps
# by the length: to read one takes 4 us, to know it again 0.2 (measured). A few are enough, and they
# may be large.
MOST_KNOWN = 16
_OK = 200
_NO_CONTENT = 204
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELD = re.compile(
    rb"\r\n(content-encoding|content-length|retry-after|transfer-encoding):[ \t]*([^\r\n]*)",
    re.IGNORECASE,
)
# A plain head says how long the body is, and nothing else that bears on how to read it: no field of
# a name that might is in it, whatever its case, but the two that are spelt out.
_PLAIN_FIELDS = (
    rb"(?:(?:(?:[ABD-OQSV-Zabd-oqsv-z]|[Cc](?![Oo]))[0-9A-Za-z-]*+|[Cc]ontent-[Tt]ype)"
    rb":[\t\x20-\x7e]*+\r\n|[Cc]onnection: keep-alive\r\n)*+"
)
_PLAIN = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9]{2}) [\t\x20-\x7e]*+\r\n%b[Cc]ontent-[Ll]ength: ([0-9]{1,6})\r\n%b\r\n"
    % (_PLAIN_FIELDS, _PLAIN_FIELDS)
)
_NOT_MODIFIED = 304


class Head(NamedTuple):
    """The *status*; *retry_after* as it stands there; the *coding* of the body.

    *is_framed* when the answer says where it ends: if not, it ends with the connection. *is_sound*
    when nothing is announced that could yet come and be taken for the next answer.
    """

    status: int
    retry_after: str | None
    coding: bytes
    is_framed: bool
    is_sound: bool

    @property
    def is_provisional(self) -> bool:
        """Whether the answer itself is still to come."""
        return self.status < _OK and self.status != SWITCHING_PROTOCOLS


@lru_cache(MOST_KNOWN)
def read_head(text: bytes) -> Head | None:
    """Read the head *text*, from its first byte to its empty line; None when it is not HTTP/1."""
    line = _STATUS_LINE.match(text)
    if line is None:
        return None
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(text, line.end() - 2):
        fields.setdefault(name.lower(), []).append(value.strip())
    framing = fields.get(b"transfer-encoding")
    # Another coding was not asked for (RFC 9112, 7.4); before HTTP/1.1 there was none (6.1).
    if framing and (line[1] == b"0" or [each.lower() for each in framing] != [b"chunked"]):
        return None
    status, lengths = int(line[2]), fields.get(b"content-length")
    waits = fields.get(b"retry-after")
    return Head(
        status,
        waits[0].decode(errors="surrogateescape") if waits else None,
        b",".join(fields.get(b"content-encoding", ())).lower(),
        is_framed=bool(framing or lengths),
        is_sound=status != _NO_CONTENT or not (framing or lengths not in (None, [b"0"])),
    )


@lru_cache(MOST_KNOWN)
def read_plain(text: bytes) -> tuple[int, int] | None:
    """Read the status and the size of a whole answer, head included, out of the head *text*; None
    when there may be more to it.
    """
    found = _PLAIN.fullmatch(text)
    if found is None or (status := int(found[1])) in {_NO_CONTENT, _NOT_MODIFIED}:
        return None
    return status, len(text) + int(found[2])
