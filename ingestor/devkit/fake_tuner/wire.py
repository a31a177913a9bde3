"""Puts an answer onto the connection: whole, cut off, drop by drop, or as a reset."""

import asyncio
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import assert_never

from aiohttp import web

from ingestor.devkit.fake_tuner.answers import Answer

# On for 0 seconds: closing throws away what is unsent and says RST instead of FIN.
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """Send half of *answer*."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Dripped:
    """Send the body of *answer* byte by byte over *seconds*."""

    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Abort:
    """Send nothing and reset the connection."""


Sending = Answer | Cut | Dripped | Abort


async def send(request: web.Request, sending: Sending) -> web.StreamResponse:
    """Put *sending* onto the connection of *request*; a client that has left is no error."""
    match sending:
        case Answer():
            return web.Response(status=sending.status, body=sending.body, headers=_headers(sending))
        case Cut(answer):
            return await _send_half(request, answer)
        case Dripped(answer, seconds):
            return await _drip(request, answer, seconds)
        case Abort():
            reset(request.transport)
            # Nobody receives this one: aiohttp only insists on getting a response.
            return web.Response()
        case unknown:
            assert_never(unknown)


def status_of(sending: Sending) -> int | None:
    """Return the status that the client gets to see, if it does see one."""
    match sending:
        case Answer():
            return sending.status
        case Cut(answer) | Dripped(answer):
            return answer.status
        case Abort():
            return None
        case unknown:
            assert_never(unknown)


def reset(transport: asyncio.Transport | None) -> None:
    """Close a connection with a TCP reset, whatever was still to be sent."""
    if transport is not None and not transport.is_closing():
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()


def has_left(request: web.Request) -> bool:
    """Tell whether the client has closed the connection."""
    return request.transport is None or request.transport.is_closing()


async def _send_half(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = _begin(answer, length=len(answer.body) or 1)
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    # Said only now, or the head would announce the end of the connection.
    response.force_close()
    return response


async def _drip(request: web.Request, answer: Answer, seconds: float) -> web.StreamResponse:
    response = _begin(answer, length=len(answer.body))
    began = time.monotonic()
    with suppress(ConnectionError):
        await response.prepare(request)
        for nth, byte in enumerate(answer.body, start=1):
            # Towards a time, not for a time: many short sleeps would add up to anything.
            due = began + seconds * nth / len(answer.body)
            await asyncio.sleep(due - time.monotonic())
            await response.write(bytes((byte,)))
    return response


def _begin(answer: Answer, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = length
    return response


def _headers(answer: Answer) -> list[tuple[str, str]]:
    content_type = [("Content-Type", answer.content_type)] if answer.content_type else []
    return [*answer.headers, *content_type]
