"""What goes over the wire to Tuner, and what comes back."""

import asyncio
import gzip
import os
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest
from builders import answered, destination, route
from edge.hostile import CREATED, Peer, Request, serving, until
from edge.posting import KEY, Client, Nobody
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.credentials import Credential
from ingestor.edge.requests import (
    LARGE_BODY_BYTES,
    MOST_ANSWER_BYTES,
    Wire,
    create_call_url,
)
from ingestor.edge.tuners import open_tuner

BODY = b'{ "call_id" : "\\u00fc" }\n'
AGENTS = ['a&b=c#d /?%00 \u00fc \u65e5\u672c "', "a+b", "%2F", "../..", "\r\nX-Evil: 1", "\0", "~"]


async def created(peer: Peer) -> None:
    """Answer every request of a connection as Tuner does."""
    while True:
        await peer.request()
        await peer.answer()


async def sent(client: Client, where: Route, body: bytes = BODY, auth: str = "both") -> Request:
    """Post to a good server, at the path prefix and with the ids of *where*; give the request."""
    async with serving(created) as server:
        at = destination(server.url + where.destination.base_url)
        goal = route(to=at, workspace=where.workspace, agent=where.agent)
        key = Credential(KEY, auth)
        async with client.opened(key) as tuner:
            assert await tuner.post(body, goal) == Answered(201, CREATED)
        (request,) = server.requests
        return request


# What is sent


async def test_a_call_is_posted_byte_for_byte(client: Client) -> None:
    """What was published is what Tuner gets, under the headers of JSON and no others."""
    request = await sent(client, route(workspace="7", agent="front-desk", to=destination("")))

    assert request.line == (
        "POST /api/v1/public/call?workspace_id=7&agent_remote_identifier=front-desk HTTP/1.1"
    )
    assert request.body == BODY
    assert request.headers.pop("host").startswith("127.0.0.1:")
    assert request.headers == {
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
        "content-length": str(len(BODY)),
        "content-type": "application/json",
        "user-agent": "ingestor/test",
        "x-api-key": KEY,
    }


async def test_a_large_call_is_posted_whole(client: Client) -> None:
    """A body that is sent in pieces still says its length and arrives as it was."""
    body = os.urandom(3 * LARGE_BODY_BYTES)

    request = await sent(client, route(to=destination("")), body)

    assert request.body == body
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("both", {"authorization": f"Bearer {KEY}", "x-api-key": KEY}),
        ("bearer", {"authorization": f"Bearer {KEY}"}),
        ("x-api-key", {"x-api-key": KEY}),
    ],
)
async def test_the_key_is_sent_as_told(client: Client, auth: str, headers: dict[str, str]) -> None:
    """Tuner's generations read the key from different headers."""
    request = await sent(client, route(to=destination("")), auth=auth)

    carriers = ("authorization", "x-api-key")
    assert {name: request.headers[name] for name in carriers if name in request.headers} == headers


@pytest.mark.parametrize("agent", AGENTS)
async def test_a_hostile_agent_id_stays_one_value(client: Client, agent: str) -> None:
    """Whatever an event calls its agent, nothing of it becomes another parameter or header."""
    request = await sent(client, route(workspace="7", agent=agent, to=destination("")))

    assert request.line.isascii()
    query = parse_qsl(urlsplit(request.target).query, strict_parsing=True, keep_blank_values=True)
    assert query == [("workspace_id", "7"), ("agent_remote_identifier", agent)]
    assert "x-evil" not in request.headers


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_agent_id_survives_the_address(agent: str) -> None:
    """What is encoded reads back as it was, for every text."""
    url = create_call_url(route(agent=agent, workspace=agent))

    query = parse_qsl(urlsplit(url).query, strict_parsing=True, keep_blank_values=True)
    assert [value for _, value in query] == [agent, agent]


async def test_a_base_url_may_have_a_path(client: Client) -> None:
    """A gateway in front of Tuner may put it below a prefix."""
    request = await sent(client, route(to=destination("/tuner/eu")))

    assert urlsplit(request.target).path == "/tuner/eu/api/v1/public/call"


async def test_every_destination_gets_its_own_key(client: Client) -> None:
    """A key never goes to an address that it was not given for."""
    async with (
        serving(created) as ours,
        serving(created) as theirs,
        client.opened(Credential("one"), other=Credential("two")) as tuner,
    ):
        await tuner.post(BODY, route(to=destination(ours.url)))
        await tuner.post(BODY, route(to=destination(theirs.url, "other")))

    assert [request.headers["x-api-key"] for request in ours.requests] == ["one"]
    assert [request.headers["x-api-key"] for request in theirs.requests] == ["two"]


async def test_a_new_key_is_used_at_once(client: Client) -> None:
    """Also by requests on connections and routes that are prepared already."""
    wire = Wire(10.0, Nobody(), "ingestor/test", {}, client.kind)
    headers: dict[str, Mapping[str, str]] = {"default": Credential("old").headers()}
    async with serving(created) as server, open_tuner(wire, headers) as tuner:
        goal = route(to=destination(server.url))
        await tuner.post(BODY, goal)
        headers["default"] = Credential("new").headers()
        await tuner.post(BODY, goal)

    assert [request.headers["x-api-key"] for request in server.requests] == ["old", "new"]
    assert server.opened == 1


# What comes back


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 401, 404, 409, 413, 422, 500, 503])
async def test_an_answer_is_a_status_with_its_body(client: Client, status: int) -> None:
    """The wire passes on what was said and judges nothing."""
    body = b"" if status == 204 else b'{"detail": "so it is"}'

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(f"{status} Whatever", body)

    assert await client.post(script) == Answered(status, body)


@pytest.mark.parametrize("wait", ["7", "Wed, 10 Jun 2026 12:00:35 GMT", "soon", "\xff"])
async def test_a_retry_after_is_passed_on(client: Client, wait: str) -> None:
    """What it means is decided elsewhere, also when it means nothing."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer("429 Too Many Requests", b"", f"Retry-After: {wait}\r\n")

    answer = await client.post(script)

    said = wait.encode("latin-1").decode("utf-8", "surrogateescape")
    assert answer == Answered(429, b"", said)


async def test_a_provisional_answer_is_not_the_answer(client: Client) -> None:
    """A 100 or 103 may come before the answer itself (RFC 9110, 15.2)."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await peer.answer()

    assert await client.post(script) == Answered(201, CREATED)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(client: Client, status: int) -> None:
    """It would carry the key away, or turn the post into a get whose 200 looks like success."""
    async with serving(created) as elsewhere:

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.answer(f"{status} Elsewhere", b"", f"Location: {elsewhere.url}/x\r\n")

        answer = await client.post(script)

        assert answer == Answered(status)
        assert elsewhere.opened == 0


async def test_a_body_without_a_length_ends_with_the_connection(client: Client) -> None:
    """So old servers do it (RFC 9112, 6.3)."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.0 201 Created\r\n\r\n" + CREATED)

    assert await client.post(script) == Answered(201, CREATED)


async def test_a_chunked_body_is_put_together(client: Client) -> None:
    """However it is cut."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.send(b"2\r\n{}", b"\r\n1;x=y\r\n \r\n", b"0\r\nTrailer: x\r\n\r\n")

    assert await client.post(script) == Answered(201, b"{} ")


@pytest.mark.parametrize("surplus", [0, 1])
async def test_a_huge_answer_is_cut(client: Client, surplus: int) -> None:
    """No more than a megabyte is read, and it is said that there was more."""
    body = b"x" * (MOST_ANSWER_BYTES + surplus)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(body=body)

    answer = await client.post(script)

    assert answer == Answered(201, body[:MOST_ANSWER_BYTES], None, is_whole=not surplus)


async def test_the_connection_of_a_huge_answer_is_closed(client: Client) -> None:
    """Reading the rest only to use the connection again would have no end."""
    is_closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                await peer.send(b"x" * 2**16)
        finally:
            is_closed.set()

    async with serving(script) as server, client.opened() as tuner:
        answer = await tuner.post(BODY, route(to=destination(server.url)))
        async with asyncio.timeout(5):
            await is_closed.wait()

    assert isinstance(answer, Answered)
    assert not answer.is_whole


async def test_a_compressed_answer_is_cut_as_well(client: Client) -> None:
    """A little on the wire may be a lot in memory."""
    bomb = gzip.compress(bytes(20 * MOST_ANSWER_BYTES))

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(body=bomb, head="Content-Encoding: gzip\r\n")

    assert await client.post(script) == Answered(201, bytes(MOST_ANSWER_BYTES), is_whole=False)


async def test_an_answer_may_come_before_the_body_was_read(client: Client) -> None:
    """A server that finds the body too large says so and closes, while we are still sending."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.answer("413 Content Too Large", b"{}", "Connection: close\r\n")
        peer.half_close()
        await peer.closed()

    assert await client.post(script, bytes(20 * LARGE_BODY_BYTES)) == Answered(413, b"{}")


# Connections


async def test_a_connection_is_used_again(client: Client) -> None:
    """A new one costs a handshake."""
    async with serving(created) as server, client.opened() as tuner:
        for _ in range(3):
            await tuner.post(BODY, route(to=destination(server.url)))

    assert len(server.requests) == 3
    assert server.opened == 1


async def test_a_connection_that_was_closed_while_idle_is_replaced(client: Client) -> None:
    """Servers close what nobody uses; the next call does not notice."""
    parted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        peer.half_close()
        await peer.closed()
        parted.set()

    async with serving(script) as server, client.opened() as tuner:
        goal = route(to=destination(server.url))
        assert await tuner.post(BODY, goal) == Answered(201, CREATED)
        await parted.wait()
        assert await tuner.post(BODY, goal) == Answered(201, CREATED)

    assert server.opened == 2


async def test_a_request_on_a_new_connection_is_never_repeated(client: Client) -> None:
    """A connection that closes under a request may have carried it: who repeats it must know."""

    async def script(peer: Peer) -> None:
        await peer.request()

    async with serving(script) as server, client.opened() as tuner:
        answer = await tuner.post(BODY, route(to=destination(server.url)))

    assert answer == Unanswered(Fault.DISCONNECTED)
    assert len(server.requests) == 1


async def test_a_request_on_a_kept_connection_is_repeated_by_ours(client: Client) -> None:
    """Servers close kept connections when they like. aiohttp repeats no POST; ours does, once, and
    says so: Tuner knows each call by its id.
    """

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()

    async with serving(script) as server, client.opened() as tuner:
        goal = route(to=destination(server.url))
        await tuner.post(BODY, goal)
        answer = await tuner.post(BODY, goal)

    once, twice = Unanswered(Fault.DISCONNECTED), Answered(201, CREATED, is_repeat=True)
    assert answer == (twice if client.is_lean else once)
    assert len(server.requests) == (3 if client.is_lean else 2)
    assert {request.body for request in server.requests} == {BODY}


async def test_cookies_are_not_kept(client: Client) -> None:
    """A cookie would tie calls to one backend, and carry what nobody asked for."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.answer(head="Set-Cookie: session=1; Path=/\r\n")

    async with serving(script) as server, client.opened() as tuner:
        for _ in range(2):
            await tuner.post(BODY, route(to=destination(server.url)))

    assert all("cookie" not in request.headers for request in server.requests)


async def test_as_many_requests_run_at_once_as_are_asked_for(client: Client) -> None:
    """How many there may be is decided elsewhere; the wire adds no queue of its own."""
    everybody = asyncio.Barrier(120)

    async def script(peer: Peer) -> None:
        await peer.request()
        await everybody.wait()
        await peer.answer()

    async with serving(script) as server, client.opened() as tuner, asyncio.TaskGroup() as tasks:
        goal = route(to=destination(server.url))
        posts = [tasks.create_task(tuner.post(BODY, goal)) for _ in range(120)]

    assert {post.result() for post in posts} == {Answered(201, CREATED)}


async def test_a_cancelled_request_leaves_nothing_behind(client: Client) -> None:
    """Its connection is closed, no task goes on, and the next request is served."""
    under_way, parted = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if under_way.is_set():
            await peer.answer()
        else:
            under_way.set()
            await peer.closed()
            parted.set()

    async with serving(script) as server, client.opened() as tuner:
        goal = route(to=destination(server.url))
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(tuner.post(BODY, goal))
            await under_way.wait()
            posting.cancel()
        assert posting.cancelled()
        async with asyncio.timeout(5):
            await parted.wait()
        await until(lambda: len(asyncio.all_tasks()) == 1)
        assert await tuner.post(BODY, goal) == answered(body=CREATED)
