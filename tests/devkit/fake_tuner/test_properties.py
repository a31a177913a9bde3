"""What holds for all bodies."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from devkit.fake_tuner.practice import ROWS, call, call_saying, post
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestor.devkit.fake_tuner import FakeTuner, Latency, Options

SEEDED = settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    # One server serves all examples: that it survives the last body is part of the rule.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec=None), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (*call(), "metadata", "call_cost", "agent_version", "sip_headers")
ROW_FIELDS = ("role", "text", "words", "start_ms", "end_ms", "duration_ms", "node", "tool", "x")
CALLS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4).map(
    lambda changes: call(**changes)
)
ROWED = st.dictionaries(st.sampled_from(ROW_FIELDS), VALUES, max_size=4).map(
    lambda changes: call_saying(**changes)
)


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def cut(body_and_place: tuple[bytes, int]) -> bytes:
    body, place = body_and_place
    return body[: place % (len(body) + 1)]


JSONISH = (CALLS | ROWED | VALUES).map(dumped)
BODIES = (
    JSONISH
    | st.tuples(JSONISH, st.integers(min_value=0)).map(cut)
    | st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]).flatmap(
        lambda encoding: CALLS.map(lambda body: json.dumps(body).encode(encoding))
    )
    | st.binary(max_size=64)
)
ANSWERS = {201, 400, 409, 422, 500}


@given(body=BODIES)
@example(body=dumped(call(metadata={"a": [float("nan"), "\ud800"]})))
@example(body=b"[" * 50_000)
@SEEDED
@pytest.mark.parametrize("nan_answer", [500, 422])
async def test_whatever_arrives_is_answered(
    nan_answer: Any, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No body hangs the server or makes it fail in a way that it did not mean to."""
    async with (
        FakeTuner(Options(nan_answer=nan_answer)).serve() as tuner,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
    ):
        answered = await post(http, tuner, body)

        assert answered.status in ANSWERS
        if answered.status == 500:
            assert answered.body == b"Internal Server Error"
        else:
            assert isinstance(answered.json, dict)
        assert len(tuner.calls) == (answered.status == 201)
        for stored in tuner.calls:
            assert stored.normalised is not None
            assert len(stored.normalised[ROWS]) > 0
        async with http.get(f"{tuner.url}/_standin/calls") as response:
            assert (await response.json())["total"] == len(tuner.calls)
    assert caplog.records == []


@given(
    call_ids=st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=3, unique=True),
    latency=st.sampled_from([Latency(), Latency(0.002, spread=1.0)]),
)
@settings(SEEDED, max_examples=25)
async def test_of_parallel_posts_of_a_new_call_one_is_new(
    call_ids: list[str], latency: Latency
) -> None:
    """Twenty posts at once of each of some call_ids: one 201 each, all others 409."""
    async with (
        FakeTuner(Options(latency=latency)).serve() as tuner,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as group,
    ):
        posts = {
            call_id: [
                group.create_task(post(http, tuner, call(call_id=call_id))) for _ in range(20)
            ]
            for call_id in call_ids
        }
        await asyncio.wait([task for tasks in posts.values() for task in tasks])

        for tasks in posts.values():
            assert sorted(task.result().status for task in tasks) == [201, *[409] * 19]
        assert sorted(stored.call_id for stored in tuner.calls) == sorted(call_ids)
