"""The test-only routes."""

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest
from devkit.fake_tuner.practice import call, call_saying, post, write

from ingestor.devkit.fake_tuner import FakeTuner, Options, Reply, Script, Window, fault_file

ADMIN = "/_standin"


async def ask(
    http: aiohttp.ClientSession, tuner: FakeTuner, path: str, method: str = "GET", body: bytes = b""
) -> tuple[int, Any]:
    async with http.request(method, f"{tuner.url}{ADMIN}{path}", data=body) as response:
        text = await response.read()
        return response.status, json.loads(text) if text else None


async def shown(http: aiohttp.ClientSession, tuner: FakeTuner, path: str) -> Any:
    status, content = await ask(http, tuner, path)
    assert status == 200
    return content


async def post_many(http: aiohttp.ClientSession, tuner: FakeTuner, count: int) -> None:
    for number in range(count):
        answered = await post(http, tuner, call(call_id=f"call-{number:02}"))
        assert answered.status == 201


async def test_calls_show_their_normal_form(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """A stored call shows who it is of, when it came, and what Tuner makes of it."""
    await post(http, tuner)

    page = await shown(http, tuner, "/calls")

    (stored,) = tuner.calls
    assert page == {
        "total": 1,
        "items": [
            {
                "id": 1,
                "workspace_id": 1,
                "agent": "a1",
                "call_id": "orders-7f3a",
                "received": stored.received,
                "normalised": stored.normalised,
            }
        ],
    }


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("body", {"body"}),
        ("both", {"normalised", "body"}),
        ("neither", set()),
    ],
)
async def test_calls_show_as_much_as_is_asked_for(
    show: str, names: set[str], http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The body comes as it came, in base64."""
    await post(http, tuner)

    page = await shown(http, tuner, f"/calls?show={show}")

    (item,) = page["items"]
    assert names == item.keys() & {"normalised", "body"}
    if "body" in names:
        assert base64.b64decode(item["body"]) == write(call())


async def test_calls_whose_body_is_gone_are_still_shown(http: aiohttp.ClientSession) -> None:
    """What was let go is null."""
    async with FakeTuner(Options(keep_bodies=0)).serve() as tuner:
        await post(http, tuner)

        page = await shown(http, tuner, "/calls?show=both")

        assert (page["items"][0]["normalised"], page["items"][0]["body"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", range(40)),
        ("?limit=3", range(3)),
        ("?offset=38", range(38, 40)),
        ("?offset=5&limit=2", range(5, 7)),
        ("?limit=0", range(0)),
        ("?offset=99", range(0)),
        ("?call_id=call-1*", range(10, 20)),
        ("?call_id=call-1*&offset=2&limit=3", range(12, 15)),
        ("?agent=a?", range(40)),
        ("?agent=b*", range(0)),
        ("?workspace_id=1", range(40)),
        ("?workspace_id=2", range(0)),
    ],
)
@pytest.mark.parametrize("list_", ["/calls", "/requests"])
async def test_lists_come_by_page_and_by_pattern(
    list_: str, query: str, numbers: range, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """A page holds what matches, in order."""
    await post_many(http, tuner, 40)

    page = await shown(http, tuner, list_ + query)

    assert [item["call_id"] for item in page["items"]] == [f"call-{n:02}" for n in numbers]


async def test_a_page_says_how_many_match(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """The total is that of the pattern, not of the page."""
    await post_many(http, tuner, 12)

    assert (await shown(http, tuner, "/calls?limit=1"))["total"] == 12
    assert (await shown(http, tuner, "/calls?call_id=*-1?&limit=1"))["total"] == 2


async def test_requests_show_what_became_of_them(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Every line of the log, by status if asked."""
    await post(http, tuner)
    await post(http, tuner)
    await post(http, tuner, b"{")

    everything = await shown(http, tuner, "/requests")
    refused = await shown(http, tuner, "/requests?status=422")

    keys = ("order", "status", "call_id", "stored", "duplicate")
    assert [tuple(item[key] for key in keys) for item in everything["items"]] == [
        (1, 201, "orders-7f3a", True, False),
        (2, 409, "orders-7f3a", False, True),
        (3, 422, None, False, False),
    ]
    assert [item["order"] for item in refused["items"]] == [3]
    assert everything["items"][0]["sha256"] == everything["items"][1]["sha256"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/calls?limit=x", "limit: Input should be a valid integer"),
        ("/calls?offset=-1", "offset: Input should be greater than or equal to 0"),
        ("/calls?callid=1", "callid: Extra inputs are not permitted"),
        ("/calls?show=all", "show: Input should be 'normalised'"),
        ("/requests?status=x", "status: Input should be a valid integer"),
        ("/requests?show=body", "show: Extra inputs are not permitted"),
    ],
)
async def test_a_question_that_is_not_understood_is_not_answered(
    path: str, problem: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """A misspelt filter must not look like one that everything passes."""
    status, content = await ask(http, tuner, path)

    assert status == 422
    assert content["detail"][0].startswith(problem)


async def test_the_summary_is_that_of_the_log(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Counts by status and by fault, distinct calls, duplicates, the peak, all arrivals."""
    tuner.add_faults(Script(answers=(Reply(503),)))
    for _ in range(3):
        await post(http, tuner)
    await post(http, tuner, query="workspace_id=2&agent_remote_identifier=a1")

    assert await shown(http, tuner, "/summary") == {
        "requests": 4,
        "open": 0,
        "peak": 1,
        "statuses": {"503": 1, "201": 2, "409": 1},
        "faults": {"reply": 1},
        "calls": 2,
        "call_ids": 1,
        "duplicates_stored": 1,
        "duplicates_answered": 1,
        "arrivals": {"orders-7f3a": [1, 2, 3, 4]},
    }


async def test_faults_can_be_posted_listed_and_cleared(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Rules are in force at once, are shown as they can be posted, and end when cleared."""
    rules = (Script(call_id="a*", answers=(Reply(503),)), Window(seconds=60, fault=Reply(500)))
    body = json.dumps(fault_file.write_rules(rules)).encode()

    assert await ask(http, tuner, "/faults", "POST", body) == (201, {"added": 2})
    assert await shown(http, tuner, "/faults") == {"rules": json.loads(body)}
    assert [(await post(http, tuner, call(call_id="a"))).status for _ in range(2)] == [503, 500]

    assert await ask(http, tuner, "/faults", "DELETE") == (204, None)
    assert await shown(http, tuner, "/faults") == {"rules": []}
    assert (await post(http, tuner)).status == 201


async def test_even_a_refusal_can_be_posted(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """Who posts it gets their answer, and may come back when it is over."""
    body = b'[{"kind": "refuse", "seconds": 0.2}]'

    assert await ask(http, tuner, "/faults", "POST", body) == (201, {"added": 1})

    async with asyncio.timeout(5):
        while await is_reachable(http, tuner):
            pass
        while not await is_reachable(http, tuner):  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.01)


async def is_reachable(http: aiohttp.ClientSession, tuner: FakeTuner) -> bool:
    try:
        return (await post(http, tuner)).status in (201, 409)
    except aiohttp.ClientConnectionError:
        return False


async def test_bad_faults_change_nothing(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """What is wrong is named by its place, and not even the good rules are taken."""
    body = b'[{"kind": "window", "seconds": 9, "fault": {"kind": "reset"}}, {"kind": "refuse"}]'

    status, content = await ask(http, tuner, "/faults", "POST", body)

    assert (status, content) == (422, {"detail": ["rules[1].seconds: Field required"]})
    assert (await post(http, tuner)).status == 201


async def test_everything_can_be_forgotten(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """After a reset the fake Tuner is as good as new."""
    tuner.add_faults(Window(seconds=60, fault=Reply(500), call_id="x"))
    await post(http, tuner)

    assert await ask(http, tuner, "", "DELETE") == (204, None)

    assert (tuner.calls, tuner.requests, list(tuner.rules)) == ([], [], [])
    assert (await post(http, tuner)).json["id"] == 1


async def test_admin_requests_are_not_logged(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """Looking leaves no trace."""
    await shown(http, tuner, "/calls")

    assert tuner.requests == []


async def test_the_public_path_tells_nothing(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """What is stored cannot be had where calls are posted."""
    await post(http, tuner)

    answered = await post(http, tuner, method="GET", path="/api/v1/public/calls")

    assert answered.status == 404


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("nan", float("nan"), None),
        ("a lone surrogate", "\ud800", "\ud800"),
        ("a huge number", 10**30, 10**30),
        ("nesting", [[[[[1]]]]], [[[[[1]]]]]),
    ],
)
async def test_whatever_was_stored_can_be_shown(
    name: str, value: object, seen: object, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Free-form values may hold what JSON cannot say, in every generation of JSON writers."""
    assert (await post(http, tuner, call_saying(extra=value), headers=None)).status == 201

    page = await shown(http, tuner, "/calls")

    rows = page["items"][0]["normalised"]["transcript_with_tool_calls"]
    assert rows[0]["extra"] == seen, name
