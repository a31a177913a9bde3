"""Asks a group's coordinator what was committed, over a socket of its own.

librdkafka's Python binding reads on beyond the end of the metadata (2.16: what it hands out, or the
error that it raises, depends on what happens to stand there in memory), so the answer is read here.
Metadata that the binding wrote has a zero byte too many.
"""

import socket
import struct
from collections.abc import Collection, Mapping

_FIND_COORDINATOR, _OFFSET_FETCH = 10, 9
# Load in progress, not available, not the coordinator: they pass by themselves.
PASSING = frozenset({14, 15, 16})
_SECONDS = 5.0


class OffsetsNotToldError(Exception):
    """Says with which *code* a broker refused to tell."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code


class _Answer:
    """Reads one value after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def number(self, code: str) -> int:
        """Read a number, by its code of `struct`."""
        number: int
        (number,) = struct.unpack_from(f">{code}", self._raw, self._at)
        self._at += struct.calcsize(code)
        return number

    def text(self) -> str:
        """Read a text; none is an empty one."""
        length = max(0, self.number("h"))
        self._at += length
        return self._raw[self._at - length : self._at].decode()


def fetch_offsets(
    address: str, group: str, topic: str, partitions: Collection[int]
) -> Mapping[int, tuple[int, str]]:
    """Give the committed offset of each of *partitions* (-1 without one) and its metadata.

    Raises OffsetsNotToldError for an error code of the broker's, OSError when there is none.
    """
    host, _, port = address.partition(",")[0].rpartition(":")
    found = _ask((host, int(port)), _FIND_COORDINATOR, 0, _text(group))
    _check(found.number("h"))
    found.number("i")
    coordinator = (found.text(), found.number("i"))
    numbers = struct.pack(f">i{len(partitions)}i", len(partitions), *partitions)
    body = _text(group) + struct.pack(">i", 1) + _text(topic) + numbers
    told = _ask(coordinator, _OFFSET_FETCH, 1, body)
    told.number("i")
    told.text()
    return dict(_place(told) for _ in range(told.number("i")))


def _place(told: _Answer) -> tuple[int, tuple[int, str]]:
    partition, offset, metadata = told.number("i"), told.number("q"), told.text()
    _check(told.number("h"))
    return partition, (offset, metadata.removesuffix("\0"))


def _ask(where: tuple[str, int], api: int, version: int, body: bytes) -> _Answer:
    request = struct.pack(">hhi", api, version, 1) + _text("tests") + body
    with socket.create_connection(where, _SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            (length,) = struct.unpack(">i", answers.read(4).ljust(4, b"\0"))
            raw = answers.read(length)
    if not length or len(raw) < length:
        raise ConnectionError("the broker left in the middle of its answer")
    answer = _Answer(raw)
    answer.number("i")
    return answer


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


def _check(code: int) -> None:
    if code:
        raise OffsetsNotToldError(code)
