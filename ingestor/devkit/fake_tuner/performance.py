"""Carries faults out: what is sent in place of, or around, the normal answer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from email.utils import formatdate
from typing import assert_never

from ingestor.devkit.fake_tuner.answers import HTML, JSON, TEXT, Answer, detail, phrase
from ingestor.devkit.fake_tuner.faults import (
    Delay,
    Drip,
    Fault,
    Redirect,
    Reply,
    Reset,
    Serve,
    Truncate,
)
from ingestor.devkit.fake_tuner.wire import Abort, Cut, Dripped, Sending

_WITHOUT_BODY = (204, 304)


async def perform(fault: Fault, serve: Callable[[], Awaitable[Answer]]) -> Sending:
    """Return what *fault* puts on the wire.

    serve: gives the normal answer, storing the call; asked again, it gives the same answer.
    """
    if isinstance(fault, Reply | Reset | Delay) and fault.after_commit:
        await serve()
    match fault:
        case Serve():
            return await serve()
        case Reply():
            return reply(fault, time.time())
        case Redirect():
            return detail(fault.status, location=fault.location)
        case Reset():
            return Abort()
        case Delay():
            await asyncio.sleep(fault.seconds)
            return await perform(fault.answer, serve)
        case Truncate():
            sending = await perform(fault.answer, serve)
            return Cut(sending) if isinstance(sending, Answer) else sending
        case Drip():
            sending = await perform(fault.answer, serve)
            return Dripped(sending, fault.seconds) if isinstance(sending, Answer) else sending
        case unknown:
            assert_never(unknown)


def reply(fault: Reply, now: float) -> Answer:
    """Return the answer that *fault* asks for at the Unix time *now*."""
    headers = tuple(_headers(fault, now))
    if fault.status in _WITHOUT_BODY:
        return Answer(fault.status, content_type=None, headers=headers)
    default, content_type = _default(fault)
    content = default if fault.content is None else fault.content.encode()
    return Answer(fault.status, content, content_type, headers)


def _default(fault: Reply) -> tuple[bytes, str | None]:
    words = phrase(fault.status)
    match fault.body:
        case "json":
            return detail(fault.status).body, JSON
        case "html":
            title = f"{fault.status} {words}"
            page = f"<html><head><title>{title}</title></head><body>{title}</body></html>"
            return page.encode(), HTML
        case "text":
            return words.encode(), TEXT
        case "empty":
            return b"", None
        case unknown:
            assert_never(unknown)


def _headers(fault: Reply, now: float) -> Iterator[tuple[str, str]]:
    if fault.status == 401:  # noqa: PLR2004 - a status
        yield "WWW-Authenticate", "Bearer"
    if fault.retry_after is not None:
        yield "Retry-After", _text(fault.retry_after)
    if fault.retry_after_date is not None:
        # Such a date has whole seconds: rounded up, or who obeys it would come too early.
        yield "Retry-After", formatdate(math.ceil(now + fault.retry_after_date), usegmt=True)


def _text(seconds: float | str) -> str:
    is_whole = isinstance(seconds, float) and seconds.is_integer()
    return str(int(seconds)) if is_whole else str(seconds)
