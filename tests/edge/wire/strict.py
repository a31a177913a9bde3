"""A strict reading of RFC 9112, written for being right and not for being fast."""

import re
from dataclasses import dataclass

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
CHUNK = re.compile(rb"([0-9A-Fa-f]+)(;[\t\x20-\x7e\x80-\xff]*)?")


@dataclass(frozen=True, slots=True)
class Message:
    """A whole answer, and what came behind it."""

    status: int
    body: bytes
    coding: bytes
    rest: bytes


class RefusedError(Exception):
    """What came is not, or not yet, an answer."""


def read(data: bytes, *, is_closed: bool) -> Message:
    """Read the final answer that *data* begins with; *is_closed* when nothing more will come."""
    while True:
        status, is_old, fields, data = _head(data)
        if status == 101:
            return Message(status, b"", b"", b"")
        if status >= 200:
            break
    body, rest = _body(status, fields, data, is_old=is_old, is_closed=is_closed)
    return Message(status, body, b",".join(_all(fields, b"content-encoding")).lower(), rest)


Fields = list[tuple[bytes, bytes]]


def _head(data: bytes) -> tuple[int, bool, Fields, bytes]:
    head, end, data = data.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    match = STATUS_LINE.fullmatch(line)
    if not end or match is None:
        raise RefusedError
    fields = []
    for line in lines:
        field = FIELD.fullmatch(line)
        if field is None:
            raise RefusedError
        fields.append((field[1].lower(), field[2]))
    return int(match[2]), match[1] == b"0", fields, data


def _all(fields: Fields, name: bytes) -> list[bytes]:
    return [value for field, value in fields if field == name]


def _body(
    status: int, fields: Fields, data: bytes, *, is_old: bool, is_closed: bool
) -> tuple[bytes, bytes]:
    codings, lengths = _all(fields, b"transfer-encoding"), _all(fields, b"content-length")
    if codings and (lengths or is_old or [each.lower() for each in codings] != [b"chunked"]):
        raise RefusedError
    if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]+", each) for each in lengths):
        raise RefusedError
    if status in {204, 304}:
        return b"", data
    if codings:
        return _chunks(data)
    if lengths:
        length = int(lengths[0])
        if len(data) < length:
            raise RefusedError
        return data[:length], data[length:]
    if not is_closed:
        raise RefusedError
    return data, b""


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        match = CHUNK.fullmatch(line)
        if not end or match is None:
            raise RefusedError
        size = int(match[1], 16)
        if size == 0:
            return body, _trailers(data)
        if data[size : size + 2] != b"\r\n":
            raise RefusedError
        body, data = body + data[:size], data[size + 2 :]


def _trailers(data: bytes) -> bytes:
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            raise RefusedError
        if not line:
            return data
        if FIELD.fullmatch(line) is None:
            raise RefusedError
