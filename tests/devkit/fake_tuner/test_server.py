"""Serving, from the first listening to the last."""

import asyncio
import time

import aiohttp
import pytest
from devkit.fake_tuner.conftest import Certificate
from devkit.fake_tuner.practice import call, post
from devkit.fake_tuner.raw import connected, on_each_loop, send

from ingestor.devkit.fake_tuner import (
    Delay,
    FakeTuner,
    Latency,
    Options,
    Refuse,
    Reply,
    Script,
    Window,
)


async def test_what_arrived_can_be_looked_at_afterwards(http: aiohttp.ClientSession) -> None:
    """Calls and log outlive the serving."""
    async with FakeTuner().serve() as tuner:
        await post(http, tuner)

    assert [stored.call_id for stored in tuner.calls] == ["orders-7f3a"]
    assert [entry.status for entry in tuner.requests] == [201]
    assert tuner.summary().calls == 1


async def test_a_tuner_served_again_is_one_that_was_restarted(
    http: aiohttp.ClientSession,
) -> None:
    """What it knew it knows, and a fault it had begun with does not begin again."""
    tuner = FakeTuner(Options(faults=(Script(answers=(Reply(503), Reply(503))),)))
    async with tuner.serve():
        assert (await post(http, tuner)).status == 503
        first = tuner.url
    async with tuner.serve(port=int(first.rpartition(":")[2])):
        assert [(await post(http, tuner)).status for _ in range(3)] == [503, 201, 409]

    assert tuner.url == first


async def test_faults_can_be_given_before_it_serves(http: aiohttp.ClientSession) -> None:
    """They begin when it does; what is cleared before never does."""
    tuner = FakeTuner()
    tuner.add_faults(Refuse(seconds=60))
    tuner.clear_faults()
    tuner.add_faults(Window(seconds=60, fault=Reply(500)))
    async with tuner.serve():
        assert (await post(http, tuner)).status == 500


async def test_nothing_can_be_refused_where_nothing_is_served() -> None:
    """Without a port there are no connections to refuse."""
    with pytest.raises(RuntimeError, match="nothing is being served"):
        async with FakeTuner().refusing_connections():
            pass


async def test_an_exception_of_the_block_is_the_blocks() -> None:
    """A test that fails inside shows its own failure, not a group of exceptions."""
    with pytest.raises(LookupError, match="mine"):
        async with FakeTuner().serve():
            raise LookupError("mine")


@pytest.mark.parametrize(
    "options",
    [
        Options(latency=Latency(60)),
        Options(latency=Latency(60), capacity=1),
        Options(faults=(Window(seconds=60, fault=Delay(60)),)),
    ],
    ids=["slow", "queueing", "delayed"],
)
async def test_the_end_is_abrupt(options: Options) -> None:
    """Requests being served are dropped, also those whose client has left long ago."""
    began = time.monotonic()
    async with FakeTuner(options).serve() as tuner, connected(tuner) as (_, writer):
        await send(writer)
        async with connected(tuner) as (_, leaving):
            await send(leaving)
            await tuner.until(lambda: len(tuner.requests) == 2)
        assert tuner.summary().open == 2

    assert time.monotonic() - began < 2
    assert tuner.summary().open == 0
    assert [entry.status for entry in tuner.requests] == [None, None]
    assert tuner.calls == []


async def test_waiting_for_what_arrives(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """until returns as soon as it is so."""
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(tuner.until(lambda: len(tuner.calls) == 2))
        await post(http, tuner, call(call_id="a"))
        assert not waiting.done()
        await post(http, tuner, call(call_id="b"))


async def test_waiting_in_vain_says_what_did_happen(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The error of a wait that failed is a good start for looking why."""
    await post(http, tuner)

    with pytest.raises(TimeoutError, match=r"1 requests, 0 of them open, 1 calls, .*201: 1"):
        await tuner.until(lambda: len(tuner.calls) == 2, within=0.01)


async def test_it_serves_https(certificate: Certificate, http: aiohttp.ClientSession) -> None:
    """With a certificate the URL says https, and who trusts the certificate can post."""
    async with FakeTuner(Options(tls=certificate.server_context())).serve() as tuner:
        assert tuner.url.startswith("https://")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await post(http, tuner)

        connector = aiohttp.TCPConnector(ssl=certificate.client_context())
        async with aiohttp.ClientSession(connector=connector) as trusting:
            answered = await post(trusting, tuner)

        assert answered.status == 201


@on_each_loop
async def test_it_serves_on_either_loop() -> None:
    """A call arrives on the loop of the standard library and on uvloop."""
    async with FakeTuner().serve() as tuner, aiohttp.ClientSession() as http:
        assert (await post(http, tuner)).status == 201
        assert len(tuner.calls) == 1
