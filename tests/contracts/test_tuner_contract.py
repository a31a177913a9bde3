"""What everything that posts to Tuner must do: one request, unchanged, and every end is an answer.

It runs on the fake and on both wires.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol, TypeAlias

import pytest
from contracts.wire_desk import wire_desk
from fakes import FakeTuner, Posted
from msgspec.structs import replace

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.route import Destination, Route
from ingestor.edge.requests import Kind
from ingestor.flow.ports import Tuner

BODY = b'{ "call_id":"a",\r\n  "text": "\xc3\xa9\\u00e9", "n": 1.50, "n": 1.5e0 }'
CREATED = Answered(201, b'{"id": 7, "is_new": true}')


class Received(NamedTuple):
    """A request as the server saw it."""

    body: bytes
    workspace: str
    agent: str


class Desk(Protocol):
    """What posts, the server behind it, and what a test needs beside them."""

    @property
    def tuner(self) -> Tuner:
        """What posts."""
        ...

    @property
    def destination(self) -> Destination:
        """The server."""
        ...

    @property
    def arrivals(self) -> int:
        """How many requests have reached the server."""
        ...

    def received(self) -> Sequence[tuple[bytes, str, str]]:
        """List them: body, workspace and agent."""
        ...

    def answer(self, *answers: Answer) -> None:
        """Have the next requests answered one after the other, or meet a fault, in place of 201."""
        ...

    def hold(self) -> None:
        """Keep the answers back."""
        ...

    def release(self) -> None:
        """Let them go."""
        ...


Opening: TypeAlias = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Desk]]


class FakeDesk:
    """The fake, which is its own server."""

    def __init__(self) -> None:
        self.tuner = FakeTuner(answer=self._reply)
        self.destination = Destination("https://tuner.test", "default")
        self.hold = self.tuner.hold
        self.release = self.tuner.release
        self._answers: list[Answer] = []

    @property
    def arrivals(self) -> int:
        """Count what it received."""
        return len(self.tuner.received)

    def received(self) -> Sequence[Received]:
        """List what it received."""
        routes = [(it.body, it.route.workspace, it.route.agent) for it in self.tuner.received]
        return [Received(*fields) for fields in routes]

    def answer(self, *answers: Answer) -> None:
        """Remember the answers."""
        self._answers += answers

    def _reply(self, _: Posted) -> Answer:
        return self._answers.pop(0) if self._answers else CREATED


@asynccontextmanager
async def fake_desk(_request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """Open the fake."""
    yield FakeDesk()


@asynccontextmanager
async def lean_desk(_request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """Open our own wire."""
    async with wire_desk(Kind.LEAN, CREATED) as desk:
        yield desk


@asynccontextmanager
async def aiohttp_desk(_request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """Open aiohttp's."""
    async with wire_desk(Kind.AIOHTTP, CREATED) as desk:
        yield desk


# Another one takes the fixtures it needs out of the request, and brings its own marks.
DESKS: Sequence[Opening] = [fake_desk, lean_desk, aiohttp_desk]


@pytest.fixture(params=DESKS, ids=lambda opening: opening.__name__)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """One of them after the other."""
    opening: Opening = request.param
    async with opening(request) as opened:
        yield opened


def route(desk: Desk, agent: str = "front-desk") -> Route:
    """Make a route to the server."""
    return Route(desk.destination, "7", agent)


async def arrived(desk: Desk, number: int) -> None:
    """Wait until *number* requests have reached the server."""
    async with asyncio.timeout(25):
        while desk.arrivals < number:  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.005)


async def test_the_body_arrives_byte_for_byte(desk: Desk) -> None:
    """What Tuner stores under a call_id must be the same at every attempt."""
    assert await desk.tuner.post(BODY, route(desk)) == CREATED

    assert desk.received() == [Received(BODY, "7", "front-desk")]


@pytest.mark.parametrize("agent", ["a&b=c", "a b+c", "50%", "a/b?c#d", "Z\u00fcrich \u260e", "%2F"])
async def test_ids_arrive_as_they_are(desk: Desk, agent: str) -> None:
    """Whatever the way there does to a query."""
    await desk.tuner.post(BODY, route(desk, agent))

    assert desk.received()[0][2] == agent


@pytest.mark.parametrize(
    "answer",
    [
        CREATED,
        Answered(200, b""),
        Answered(204),
        Answered(301, b"moved"),
        Answered(307),
        Answered(401, b'{"detail": "no"}'),
        Answered(404, b"<html>"),
        Answered(409),
        Answered(422, b'{"detail": [{"type": "missing", "loc": ["body", "call_id"]}]}'),
        Answered(429, b"", "17"),
        Answered(500, b"oops"),
        Answered(503, b"", "Fri, 31 Dec 1999 23:59:59 GMT"),
    ],
    ids=lambda answer: str(answer.status),
)
async def test_an_answer_is_handed_on_as_it_came(desk: Desk, answer: Answered) -> None:
    """Status, body and Retry-After; a redirect is an answer and is not followed."""
    desk.answer(answer)

    assert await desk.tuner.post(BODY, route(desk)) == answer
    assert len(desk.received()) == 1


@pytest.mark.parametrize("fault", [Fault.DISCONNECTED, Fault.CUT_OFF, Fault.TIMEOUT])
async def test_a_fault_is_an_answer_and_is_not_repeated(desk: Desk, fault: Fault) -> None:
    """Whether to try again is decided elsewhere: here it is one request."""
    desk.answer(Unanswered(fault))

    assert await desk.tuner.post(BODY, route(desk)) == Unanswered(fault)
    assert len(desk.received()) == 1


async def test_after_a_fault_the_next_request_is_answered(desk: Desk) -> None:
    """A broken connection is not used again."""
    desk.answer(Unanswered(Fault.DISCONNECTED), CREATED)

    assert await desk.tuner.post(BODY, route(desk)) == Unanswered(Fault.DISCONNECTED)
    assert await desk.tuner.post(BODY, route(desk)) == CREATED


async def test_nothing_limits_how_many_are_under_way(desk: Desk) -> None:
    """The slots do: whoever waited here would hold a slot for a wait."""
    desk.hold()
    async with asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(desk.tuner.post(BODY, route(desk))) for _ in range(200)]
        await arrived(desk, 200)
        assert not any(post.done() for post in posts)
        desk.release()

    assert [post.result() for post in posts] == [CREATED] * 200


async def test_a_cancelled_post_ends_at_once(desk: Desk) -> None:
    """A drain that overruns cuts it off, and those that come later do not suffer."""
    desk.hold()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        post = tasks.create_task(desk.tuner.post(BODY, route(desk)))
        await arrived(desk, 1)
        post.cancel()
    desk.release()

    assert post.cancelled()
    assert await desk.tuner.post(BODY, route(desk)) == CREATED


async def test_routes_do_not_get_mixed_up(desk: Desk) -> None:
    """However many there are at a time."""
    routes = [
        replace(route(desk, f"agent {number}"), workspace=str(number)) for number in range(30)
    ]
    async with asyncio.TaskGroup() as tasks:
        for number, each in enumerate(routes):
            tasks.create_task(desk.tuner.post(b'{"call_id": "%d"}' % number, each))

    expected = [Received(b'{"call_id": "%d"}' % n, str(n), f"agent {n}") for n in range(30)]
    assert sorted(desk.received(), key=str) == sorted(expected, key=str)
