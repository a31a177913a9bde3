"""The sink of the races answers as it was told to, and remembers what came."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest
from bench import building
from bench.sink import CALLS, Sink, running_sink


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    try:
        building.sink()
    except building.NotHereError as error:
        pytest.skip(str(error))


async def post(sink: Sink, *bodies: bytes) -> list[int]:
    """Post *bodies* one after the other; give what was answered."""
    tls = ssl.create_default_context(cafile=sink.ca_file) if sink.ca_file else False
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as http:
        statuses = []
        for body in bodies:
            async with http.post(sink.url + CALLS, data=body) as answer:
                statuses.append(answer.status)
    return statuses


@pytest.mark.parametrize("tls", [False, True])
async def test_every_call_is_counted_and_a_repeat_is_known(tls: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """Over TLS as well, to a client that trusts its authority and nobody else."""
    with running_sink(tmp_path, tls=tls) as sink:
        statuses = await post(sink, b'{"call_id":"a"}', b'{"call_id": "b"}', b'{"call_id":"a"}')
        story = await asyncio.to_thread(sink.story)

    assert statuses == [201, 201, 201]
    assert (story.accepted, story.distinct, story.failed, story.connections) == (3, 2, 0, 1)
    assert story.first_ns < story.times_ns[0] <= story.times_ns[-1]


async def test_what_fails_does_not_count(tmp_path: Path) -> None:
    """With the status that was asked for; and what is no call is refused."""
    with running_sink(tmp_path, failing=1.0, failure=500) as sink:
        statuses = await post(sink, b'{"call_id":"a"}', b"{}")
        count = await asyncio.to_thread(sink.count)

    assert statuses == [500, 422]
    assert (count.accepted, count.failed) == (0, 1)


async def test_how_long_an_event_took_is_told(tmp_path: Path) -> None:
    """From the time that it says it was sent at."""
    with running_sink(tmp_path, delay_ms=1) as sink:
        await post(sink, b'{"sent_ns":1000000000, "call_id":"a"}')
        story = await asyncio.to_thread(sink.story)

    assert len(story.lags_ms) == 1
    assert story.lags_ms[0] > 1e12
