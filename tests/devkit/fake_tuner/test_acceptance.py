"""The cases by which a stand-in for Tuner is judged, by number."""

import asyncio

import aiohttp
import pytest
from devkit.fake_tuner.cases import CASES, Case
from devkit.fake_tuner.practice import (
    JSON,
    ROWS,
    call,
    call_saying,
    call_with,
    only_call,
    post,
)

from ingestor.devkit.fake_tuner import FakeTuner, Latency, Options, Reply, Reset, Script


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_request_is_answered_as_the_reference_says(
    case: Case, http: aiohttp.ClientSession
) -> None:
    """Status, problems and what is stored are those of the numbered case."""
    async with FakeTuner(case.options).serve() as tuner:
        answered = await post(http, tuner, case.body, query=case.query, headers=dict(case.headers))

        assert answered.status == case.status
        assert tuple(answered.problems if case.status == 422 else ()) == case.problems
        assert len(tuner.calls) == (case.status == 201)
        for name, value in case.stored.items():
            assert only_call(tuner)[name] == value


async def test_01_a_valid_call_is_created(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """The first call gets id 1 and is new."""
    answered = await post(http, tuner)

    assert answered.status == 201
    assert answered.json == {"id": 1, "provider_call_id": "orders-7f3a", "is_new": True}


async def test_02_a_known_call_conflicts(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """The second post of a call_id says 409 in words and changes nothing."""
    await post(http, tuner)

    answered = await post(http, tuner, call(recording_url="another"))

    assert answered.status == 409
    assert isinstance(answered.json["detail"], str)
    assert only_call(tuner)["recording_url"] == call()["recording_url"]


async def test_03_a_known_call_can_be_answered_as_not_new(http: aiohttp.ClientSession) -> None:
    """With is_new_false the second post gets 200 and the first one's id; the first one stays."""
    async with FakeTuner(Options(duplicates="is_new_false")).serve() as tuner:
        await post(http, tuner)

        answered = await post(http, tuner, call_saying(text="Something else"))

        assert answered.status == 200
        assert answered.json == {"id": 1, "provider_call_id": "orders-7f3a", "is_new": False}
        assert only_call(tuner)[ROWS][0]["text"] == "My balance?"


@pytest.mark.parametrize(
    "query",
    ["workspace_id=1&agent_remote_identifier=a2", "workspace_id=2&agent_remote_identifier=a1"],
)
async def test_04_a_call_id_is_known_per_agent_and_workspace(
    query: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The same call_id of another agent or workspace is another call."""
    await post(http, tuner)

    answered = await post(http, tuner, query=query)

    assert answered.status == 201
    assert answered.json["id"] == 2


async def test_05_who_has_no_credentials_is_told_which_to_bring(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """A 401 names the scheme it wants."""
    answered = await post(http, tuner, headers=JSON)

    assert answered.json == {"detail": "Not authenticated"}
    assert answered.headers["WWW-Authenticate"] == "Bearer"


async def test_14_a_call_without_rows_is_too_short(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """An empty transcript is refused with the length it has and the one it needs."""
    answered = await post(http, tuner, call(**{ROWS: []}))

    assert answered.problems == [("too_short", ["body", ROWS])]
    assert answered.json["detail"][0]["ctx"] == {
        "field_type": "List",
        "min_length": 1,
        "actual_length": 0,
    }


async def test_17_an_end_is_derived_from_a_duration(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """start_ms and duration_ms make an end_ms."""
    await post(http, tuner, call_with(role="agent", start_ms=5, duration_ms=100))

    assert only_call(tuner)[ROWS][0]["end_ms"] == 105


async def test_18_fractions_of_milliseconds_are_rounded_up(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Times are stored as whole milliseconds, rounded up."""
    await post(http, tuner, call_with(role="user", start_ms=1.0001, end_ms=2.5))

    row = only_call(tuner)[ROWS][0]
    assert (row["start_ms"], row["end_ms"]) == (2, 3)


async def test_21_timed_content_is_kept_but_is_no_text(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The old name for the words is an unknown key: accepted, kept, and the text stays null."""
    await post(http, tuner, call_with(role="user", content="hi", start_ms=0, end_ms=1))

    row = only_call(tuner)[ROWS][0]
    assert (row["text"], row["content"]) == (None, "hi")


async def test_26_unknown_keys_are_dropped_above_and_kept_in_rows(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """What the reference does not name survives in segments only."""
    answered = await post(http, tuner, {**call_saying(mood="calm"), "colour": "red"})

    assert answered.status == 201
    assert "colour" not in only_call(tuner)
    assert only_call(tuner)[ROWS][0]["mood"] == "calm"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_29_nan_breaks_the_server(
    value: float, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """A number that is none cannot be echoed: the server fails while it says what is wrong."""
    answered = await post(http, tuner, call(end_timestamp=value))

    assert (answered.status, answered.body) == (500, b"Internal Server Error")
    assert answered.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert tuner.calls == []


async def test_29_nan_can_be_refused_properly(http: aiohttp.ClientSession) -> None:
    """Told so, the server says what is wrong and echoes null in place of the number."""
    async with FakeTuner(Options(nan_answer=422)).serve() as tuner:
        answered = await post(http, tuner, call(end_timestamp=float("nan")))

        assert answered.problems == [("finite_number", ["body", "end_timestamp"])]
        assert answered.json["detail"][0]["input"] is None


async def test_30_a_call_is_committed_before_the_reset(http: aiohttp.ClientSession) -> None:
    """The first post is reset after it was stored; its repetition meets 409; one row is stored."""
    options = Options(faults=(Script(answers=(Reset(after_commit=True),)),))
    async with FakeTuner(options).serve() as tuner:
        with pytest.raises(aiohttp.ClientOSError):
            await post(http, tuner)
        assert len(tuner.calls) == 1

        assert (await post(http, tuner)).status == 409
        assert len(tuner.calls) == 1


async def test_31_a_scripted_429_says_how_long_to_wait(http: aiohttp.ClientSession) -> None:
    """Retry-After comes with the 429, the next post is served."""
    options = Options(faults=(Script(answers=(Reply(429, retry_after=2),)),))
    async with FakeTuner(options).serve() as tuner:
        first, second = await post(http, tuner), await post(http, tuner)

        assert (first.status, first.headers["Retry-After"]) == (429, "2")
        assert second.status == 201
        assert len(tuner.calls) == 1


async def test_32_a_gateway_answers_in_html_twice(http: aiohttp.ClientSession) -> None:
    """Two pages of HTML under 503, then the call is created."""
    page = Reply(503, body="html")
    async with FakeTuner(Options(faults=(Script(answers=(page, page)),))).serve() as tuner:
        answers = [await post(http, tuner) for _ in range(3)]

        assert [answered.status for answered in answers] == [503, 503, 201]
        assert answers[0].body.startswith(b"<html>")
        assert answers[0].headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("latency", [Latency(), Latency(0.02, spread=0.5)], ids=["quick", "slow"])
async def test_33_of_parallel_first_posts_exactly_one_is_new(
    latency: Latency, http: aiohttp.ClientSession
) -> None:
    """Twenty posts of one new call_id at once: one 201, nineteen 409, one row."""
    async with FakeTuner(Options(latency=latency)).serve() as tuner, asyncio.TaskGroup() as group:
        posts = [group.create_task(post(http, tuner)) for _ in range(20)]
        await asyncio.wait(posts)

        statuses = sorted(task.result().status for task in posts)
        assert statuses == [201, *[409] * 19]
        assert len(tuner.calls) == 1
        assert tuner.summary().duplicates_answered == 19
