"""What faults put on the wire."""

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

import pytest

from ingestor.devkit.fake_tuner import (
    Delay,
    Drip,
    Fault,
    Redirect,
    Reply,
    Reset,
    Serve,
    Truncate,
)
from ingestor.devkit.fake_tuner.answers import Answer, detail
from ingestor.devkit.fake_tuner.performance import perform, reply
from ingestor.devkit.fake_tuner.wire import Abort, Cut, Dripped, Sending

NORMAL = Answer(201, b"{}")
BUSY = detail(503)


class Service:
    """Serve the normal answer and count how often."""

    def __init__(self) -> None:
        self.served = 0

    def __call__(self) -> Awaitable[Answer]:
        return self._serve()

    async def _serve(self) -> Answer:
        self.served += 1
        return NORMAL


@pytest.mark.parametrize(
    ("fault", "sending", "served"),
    [
        (Serve(), NORMAL, 1),
        (Reply(503), BUSY, 0),
        (Reply(503, after_commit=True), BUSY, 1),
        (Reset(), Abort(), 0),
        (Reset(after_commit=True), Abort(), 1),
        (Delay(0), NORMAL, 1),
        (Delay(0, answer=Reply(503)), BUSY, 0),
        (Delay(0, answer=Reply(503), after_commit=True), BUSY, 1),
        (Delay(0, answer=Reset(after_commit=True)), Abort(), 1),
        (Truncate(), Cut(NORMAL), 1),
        (Truncate(answer=Reply(503)), Cut(BUSY), 0),
        (Truncate(answer=Reset()), Abort(), 0),
        (Drip(2), Dripped(NORMAL, 2), 1),
        (Drip(2, answer=Truncate()), Cut(NORMAL), 1),
        (
            Redirect("/login", status=303),
            Answer(303, b'{"detail":"See Other"}', headers=(("Location", "/login"),)),
            0,
        ),
    ],
    ids=str,
)
async def test_a_fault_is_carried_out(fault: Fault, sending: Sending, served: int) -> None:
    """Each fault sends its own, and stores the call only where it says so."""
    service = Service()
    serve: Callable[[], Awaitable[Answer]] = service

    assert await perform(fault, serve) == sending
    assert service.served == served


@pytest.mark.parametrize(
    ("fault", "body", "content_type"),
    [
        (Reply(503), b'{"detail":"Service Unavailable"}', "application/json"),
        (
            Reply(502, body="html"),
            b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>",
            "text/html; charset=utf-8",
        ),
        (Reply(500, body="text"), b"Internal Server Error", "text/plain; charset=utf-8"),
        (Reply(500, body="empty"), b"", None),
        (Reply(200, content='{"success": true}'), b'{"success": true}', "application/json"),
        (Reply(200, body="html", content="é"), "é".encode(), "text/html; charset=utf-8"),
        (Reply(204), b"", None),
        (Reply(599), b'{"detail":"599"}', "application/json"),
    ],
    ids=str,
)
def test_a_reply_has_the_form_asked_for(
    fault: Reply, body: bytes, content_type: str | None
) -> None:
    """JSON, HTML, text or nothing, with words of its own or given ones."""
    assert reply(fault, now=0) == Answer(fault.status, body, content_type)


@pytest.mark.parametrize(
    ("retry_after", "sent"), [(2, "2"), (0.5, "0.5"), ("soon", "soon"), ("-1", "-1"), (0, "0")]
)
def test_a_reply_says_when_to_come_back(retry_after: float | str, sent: str) -> None:
    """Seconds are sent without a needless point, text as it is."""
    assert reply(Reply(429, retry_after=retry_after), now=0).headers == (("Retry-After", sent),)


def test_a_reply_can_say_it_with_a_date() -> None:
    """The date is never before the seconds are over."""
    ((name, date),) = reply(Reply(503, retry_after_date=5), now=1781108000.3).headers

    assert (name, date[-3:]) == ("Retry-After", "GMT")
    assert parsedate_to_datetime(date).timestamp() == 1781108006


def test_a_401_asks_for_credentials() -> None:
    """HTTP wants a challenge with every 401."""
    assert reply(Reply(401), now=0).headers == (("WWW-Authenticate", "Bearer"),)
