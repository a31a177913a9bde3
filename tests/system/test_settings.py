"""What settings change of what Tuner gets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest
from aiohttp import web
from builders import ABSENT, event
from kafka.cluster import Cluster
from system.deployment import deployment, digest, message

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

OLD_ROWS = [
    {"role": "system", "content": "You are a friendly agent."},
    {"role": "assistant", "content": "Good morning."},
    {"role": "user", "content": "Hello, is it me?"},
]
AUTHS = {
    "both": {"X-API-Key": "k3y", "Authorization": "Bearer k3y"},
    "x-api-key": {"X-API-Key": "k3y", "Authorization": None},
    "bearer": {"X-API-Key": None, "Authorization": "Bearer k3y"},
}


async def test_a_recording_is_only_given_to_a_call_without_one(cluster: Cluster) -> None:
    """Everything else of the event stays as it came, byte for byte."""
    without = event(call_id="without", recording_url=ABSENT)
    null = event(call_id="null", recording_url=None)
    own = event(call_id="own")
    async with deployment(cluster) as here:
        settings = {"INGESTOR_RECORDING_URL": "pending"}
        async with here.service(settings) as running:
            await here.publish(message("", value) for value in (without, null, own))
            await here.until_finished(running)

    added = b',"recording_url":"pending"}'
    assert here.bodies() == {
        "without": without[:-1] + added,
        "null": null[:-1] + added,
        "own": own,
    }


async def test_older_transcripts_are_passed_estimated_or_refused(cluster: Cluster) -> None:
    """Left alone they are Tuner's to judge; estimated they are taken; refused they never leave."""
    value = event(call_id="old", transcript_with_tool_calls=OLD_ROWS)
    async with AsyncExitStack() as stack:
        here = {
            way: await stack.enter_async_context(deployment(cluster, partitions=1))
            for way in ("pass", "estimate", "refuse")
        }
        running = [
            await stack.enter_async_context(it.service({"INGESTOR_OLD_TRANSCRIPTS": way}))
            for way, it in here.items()
        ]
        for it in here.values():
            await it.publish([message("old", value)])
            await it.until_finished(*running)
        letters = {
            way: [(letter.reason, letter.value) for letter in await it.letters()]
            for way, it in here.items()
        }

    assert letters == {"pass": [("refused", value)], "estimate": [], "refuse": [("invalid", value)]}
    assert [(e.status, e.sha256) for e in here["pass"].tuner.requests] == [(422, digest(value))]
    assert here["refuse"].tuner.requests == []
    (call,) = here["estimate"].tuner.calls
    rows = orjson.loads(call.body or b"")["transcript_with_tool_calls"]
    assert [(r["role"], r["text"], r["content"]) for r in rows] == [
        ("agent", "Good morning.", "Good morning."),
        ("user", "Hello, is it me?", "Hello, is it me?"),
    ]
    times = [moment for r in rows for moment in (r["start_ms"], r["end_ms"])]
    assert times == sorted(times)
    # The call lasted 62 seconds, which the two of them share.
    assert (times[0], times[-1]) == (0, 62_000)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[Mapping[str, str]]]]:
    """Serve what takes every call; give its address, and the headers that came."""
    came: list[Mapping[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        await request.read()
        came.append(dict(request.headers))
        return web.json_response({"id": 1, "is_new": True}, status=201)

    site = web.Application()
    site.add_routes([web.post("/{path:.*}", take)])
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", came
    finally:
        await runner.cleanup()


async def test_a_key_is_sent_in_the_headers_that_the_settings_name(cluster: Cluster) -> None:
    """Tuner's two generations look in two places; nothing but the key's headers depends on it."""
    async with AsyncExitStack() as stack:
        url, came = await stack.enter_async_context(listening())
        for auth in ("both", "x-api-key", "bearer"):
            here = await stack.enter_async_context(deployment(cluster, partitions=1))
            settings = {"TUNER_BASE_URL": url, "TUNER_API_KEY": "k3y", "TUNER_AUTH": auth}
            running = await stack.enter_async_context(here.service(settings))
            await here.publish([message("a", event())])
            await running.until(lambda: came)
            keys = {name: came[0].get(name) for name in ("X-API-Key", "Authorization")}
            assert keys == AUTHS[auth]
            assert came.pop()["Content-Type"] == "application/json"
