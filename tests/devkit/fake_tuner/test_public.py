"""The public side: routes, limits, and clients that leave."""

import asyncio
import gzip

import aiohttp
import pytest
from devkit.fake_tuner.practice import DEMO, JSON, QUERY, call, call_saying, post, write
from devkit.fake_tuner.raw import connected, on_each_loop, read_head, request, send

from ingestor.devkit.fake_tuner import Delay, FakeTuner, Latency, Options, Reply, Script

PATH = "/api/v1/public/call"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_calls_can_only_be_posted(
    method: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Other methods are not allowed, whatever they carry."""
    answered = await post(http, tuner, method=method)

    assert answered.status == 405
    assert answered.headers["Allow"] == "POST"
    assert answered.body == (b"" if method == "HEAD" else b'{"detail":"Method Not Allowed"}')


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/public", "/api/v1/public/calls", "/x/", "/_standin/x"]
)
async def test_elsewhere_is_nothing(
    path: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Other paths are not found."""
    answered = await post(http, tuner, path=path)

    assert (answered.status, answered.json) == (404, {"detail": "Not Found"})
    assert [(entry.path, entry.status) for entry in tuner.requests] == [(path, 404)]


@pytest.mark.parametrize("path", [PATH + "/", PATH + "//"])
async def test_a_trailing_slash_is_redirected(
    path: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The redirect keeps method and query, and nothing is stored."""
    answered = await post(http, tuner, path=path)

    assert (answered.status, answered.body) == (307, b"")
    assert answered.headers["Location"] == f"{tuner.url}{PATH}?{QUERY}"
    assert tuner.calls == []


async def test_a_trailing_slash_can_be_not_found(http: aiohttp.ClientSession) -> None:
    """A server that does not redirect knows no such path."""
    async with FakeTuner(Options(trailing_slash=404)).serve() as tuner:
        assert (await post(http, tuner, path=PATH + "/")).status == 404


async def test_traces_are_taken(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """OpenTelemetry traces get the empty answer that means all of them were taken."""
    answered = await post(http, tuner, b"\x0a\x00", path="/api/v1/traces")

    assert (answered.status, answered.body) == (200, b"")
    assert answered.headers["Content-Type"] == "application/x-protobuf"


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
async def test_compressed_bodies_are_unreadable(
    headers: dict[str, str], http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Nobody unpacks a body, not even if it says that it is packed."""
    packed = gzip.compress(write(call()))

    answered = await post(http, tuner, packed, headers={**DEMO, **JSON, **headers})

    assert answered.status == 400
    assert answered.json == {"detail": "There was an error parsing the body"}


@pytest.mark.parametrize("content_type", [{}, {"Content-Type": "text/plain"}])
async def test_what_does_not_say_it_is_json_is_not_read(
    content_type: dict[str, str], http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The text is echoed as what it is, one problem at the body."""
    answered = await post(http, tuner, headers={**DEMO, **content_type})

    assert answered.problems == [("model_attributes_type", ["body"])]
    assert answered.json["detail"][0]["input"] == write(call()).decode()
    assert tuner.requests[0].call_id is None


async def test_the_content_type_can_be_ignored(http: aiohttp.ClientSession) -> None:
    """Older servers parsed anything."""
    async with FakeTuner(Options(any_content_type=True)).serve() as tuner:
        assert (await post(http, tuner, headers=DEMO)).status == 201


async def test_no_body_is_missing(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """An empty body is a problem, not an error."""
    answered = await post(http, tuner, b"")

    assert answered.json["detail"] == [
        {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
    ]


async def test_an_infinite_time_breaks_the_server(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Rounding infinity up fails where nobody expects it."""
    answered = await post(http, tuner, call_saying(start_ms=float("inf")))

    assert (answered.status, answered.body) == (500, b"Internal Server Error")


async def test_a_body_can_be_too_large(http: aiohttp.ClientSession) -> None:
    """Above the cap a body is not looked at, up to it it is."""
    size = len(write(call()))
    for cap, status in ((size, 201), (size - 1, 413)):
        async with FakeTuner(Options(max_body_bytes=cap)).serve() as tuner:
            assert (await post(http, tuner)).status == status
            assert tuner.requests[0].size == (size if status == 201 else 0)


async def test_requests_can_be_too_many(http: aiohttp.ClientSession) -> None:
    """Above the rate a request is told when to come back, and nothing is stored."""
    async with FakeTuner(Options(max_rate=0.1)).serve() as tuner:
        answers = [await post(http, tuner, call(call_id=str(number))) for number in range(3)]

        assert [answered.status for answered in answers] == [201, 429, 429]
        assert answers[-1].headers["Retry-After"] == "10"
        assert len(tuner.calls) == 1


async def test_faults_go_before_limits(http: aiohttp.ClientSession) -> None:
    """What a script answers costs no rate."""
    options = Options(max_rate=0.1, faults=(Script(answers=(Reply(503),)),))
    async with FakeTuner(options).serve() as tuner:
        assert [(await post(http, tuner)).status for _ in range(3)] == [503, 201, 429]


async def test_a_revoked_key_comes_back(http: aiohttp.ClientSession) -> None:
    """Only who presents that key is refused, and only for a while."""
    options = Options(keys={"old": "any", "new": "any"})
    async with FakeTuner(options).serve() as tuner:
        tuner.add_faults(Script(key="old", answers=(Reply(401), Reply(401))))
        statuses = [
            (await post(http, tuner, headers={"X-API-Key": key, **JSON})).status
            for key in ("old", "new", "old", "old")
        ]

        assert statuses == [401, 201, 401, 409]


async def test_a_call_can_be_committed_before_a_wait(http: aiohttp.ClientSession) -> None:
    """It is stored while its client still waits, whose answer then is that of the first post."""
    options = Options(faults=(Script(answers=(Delay(0.2, after_commit=True),)),))
    async with FakeTuner(options).serve() as tuner, asyncio.TaskGroup() as group:
        waiting = group.create_task(post(http, tuner))
        await tuner.until(lambda: len(tuner.calls) == 1)
        assert (await post(http, tuner)).status == 409

        assert (await waiting).status == 201
        assert [entry.fault for entry in tuner.requests] == ["delay", None]


async def test_the_log_tells_what_arrived(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """Who posted what and what became of it, also where the request was no good."""
    await post(http, tuner, query="workspace_id=x&agent_remote_identifier=a%26b")

    (entry,) = tuner.requests
    assert (entry.order, entry.method, entry.path) == (1, "POST", PATH)
    assert (entry.workspace_id, entry.agent, entry.call_id) == (None, "a&b", "orders-7f3a")
    assert (entry.status, entry.stored, entry.size) == (422, False, len(write(call())))


async def test_a_log_shows_requests_while_they_are_served(http: aiohttp.ClientSession) -> None:
    """What waits has arrived, and counts for the peak."""
    async with FakeTuner(Options(latency=Latency(0.3))).serve() as tuner:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(post(http, tuner, call(call_id=str(number))))
            await tuner.until(lambda: tuner.summary().open == 3)
            assert [entry.status for entry in tuner.requests] == [None] * 3
            assert tuner.calls == []

        assert tuner.summary().peak == 3
        assert len(tuner.calls) == 3


@on_each_loop
async def test_who_leaves_while_being_served_is_served() -> None:
    """A client that does not wait for its answer has its call stored; the log knows it left."""
    async with FakeTuner(Options(latency=Latency(0.2))).serve() as tuner:
        async with connected(tuner) as (_, writer):
            await send(writer)
            await tuner.until(lambda: len(tuner.requests) == 1)

        await tuner.until(lambda: tuner.summary().open == 0)

        assert len(tuner.calls) == 1
        assert [(entry.status, entry.client_left) for entry in tuner.requests] == [(201, True)]


async def test_a_request_tells_which_port_it_came_from(tuner: FakeTuner) -> None:
    """Of several clients, that says whose it was."""
    async with connected(tuner) as (_, writer):
        await send(writer)
        await tuner.until(lambda: len(tuner.calls) == 1)
        port = writer.get_extra_info("sockname")[1]

    assert [entry.peer for entry in tuner.requests] == [port]


@pytest.mark.parametrize("abruptly", [False, True])
async def test_who_leaves_before_the_end_of_the_body_stores_nothing(
    tuner: FakeTuner, caplog: pytest.LogCaptureFixture, *, abruptly: bool
) -> None:
    """Half a body is no call, and nobody's error."""
    async with connected(tuner) as (_, writer):
        writer.write(request(write(call())[:50], Content_Length="5000"))
        await tuner.until(lambda: len(tuner.requests) == 1)
        if not abruptly:
            writer.write_eof()
            await tuner.until(lambda: tuner.summary().open == 0)
    await tuner.until(lambda: tuner.summary().open == 0)

    assert tuner.calls == []
    assert [(entry.status, entry.client_left) for entry in tuner.requests] == [(None, True)]
    assert caplog.records == []


@pytest.mark.parametrize("rest", [b"", b"no size\r\n"], ids=["stalled", "broken"])
async def test_a_body_that_does_not_end_is_not_waited_for(rest: bytes) -> None:
    """A client that stalls, or loses its way in its chunks, is told so after a while."""
    async with (
        FakeTuner(Options(body_seconds=0.1)).serve() as tuner,
        connected(tuner) as (reader, writer),
    ):
        writer.write(request(b"3\r\n{}\n\r\n", Transfer_Encoding="chunked"))
        await tuner.until(lambda: len(tuner.requests) == 1)
        writer.write(rest)

        assert (await read_head(reader))[0] == 408
        assert tuner.calls == []


async def test_a_body_in_chunks_is_a_body(tuner: FakeTuner) -> None:
    """How a body is sent makes no difference."""
    body = write(call())
    async with connected(tuner) as (reader, writer):
        writer.write(
            request(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), Transfer_Encoding="chunked")
        )

        assert (await read_head(reader))[0] == 201
