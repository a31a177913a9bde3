"""Being unreachable for a while."""

import asyncio
import socket
import time

import aiohttp
import pytest
from devkit.fake_tuner.practice import call, post
from devkit.fake_tuner.raw import connected, meeting, on_each_loop, send

from ingestor.devkit.fake_tuner import Delay, FakeTuner, Refuse


def port_of(tuner: FakeTuner) -> int:
    return int(tuner.url.rpartition(":")[2])


async def refuses(tuner: FakeTuner) -> bool:
    try:
        async with connected(tuner):
            return False
    except ConnectionError:
        # Refused, or cut short on the way in.
        return True


@on_each_loop
async def test_connections_are_refused_and_then_taken_again() -> None:
    """While it refuses nobody gets in; afterwards the same port answers, with what it had."""
    async with FakeTuner().serve() as tuner, aiohttp.ClientSession() as http:
        assert (await post(http, tuner)).status == 201
        before = tuner.url

        async with tuner.refusing_connections():
            assert await refuses(tuner)
            with pytest.raises(aiohttp.ClientConnectionError):
                await post(http, tuner)

        assert tuner.url == before
        assert (await post(http, tuner)).status == 409


@on_each_loop
async def test_open_connections_are_reset() -> None:
    """An idle connection and a waiting one both end with RST."""
    async with (
        meeting(Delay(60)).serve() as tuner,
        connected(tuner) as (idle, _),
        connected(tuner) as (waiting, writer),
    ):
        await send(writer)
        await tuner.until(lambda: len(tuner.requests) == 1)

        async with tuner.refusing_connections():
            for reader in (idle, waiting):
                with pytest.raises(ConnectionResetError):
                    await reader.read()


@on_each_loop
async def test_no_connection_slips_through_as_the_port_closes() -> None:
    """Who comes in at the last moment is reset like the others, never forgotten half open."""
    async with FakeTuner().serve() as tuner:
        for _ in range(30):
            async with asyncio.TaskGroup() as group:
                opened = group.create_task(is_reset_or_refused(tuner))
                await asyncio.sleep(0)
                async with tuner.refusing_connections():
                    assert await opened


async def is_reset_or_refused(tuner: FakeTuner) -> bool:
    try:
        async with connected(tuner) as (reader, _), asyncio.timeout(5):
            await reader.read()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


async def test_nobody_else_gets_the_port_meanwhile(tuner: FakeTuner) -> None:
    """The port of a server that refuses connections is not free."""
    async with tuner.refusing_connections():
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port_of(tuner)))


async def test_refusals_may_overlap(tuner: FakeTuner) -> None:
    """Connections are taken again when the last refusal is over."""
    async with tuner.refusing_connections():
        async with tuner.refusing_connections():
            assert await refuses(tuner)
        assert await refuses(tuner)

    assert not await refuses(tuner)


async def until_refused(tuner: FakeTuner, *, refused: bool) -> None:
    async with asyncio.timeout(5):
        while await refuses(tuner) != refused:  # noqa: ASYNC110 - nobody tells when a port opens
            await asyncio.sleep(0.005)


async def test_a_refusal_can_be_scheduled(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """A rule closes the port for its seconds, without anybody's doing."""
    assert (await post(http, tuner)).status == 201
    began = time.monotonic()
    tuner.add_faults(Refuse(after=0.1, seconds=0.3))

    await until_refused(tuner, refused=True)
    assert time.monotonic() - began >= 0.1
    await until_refused(tuner, refused=False)
    assert time.monotonic() - began >= 0.4
    assert (await post(http, tuner, call(call_id="later"))).status == 201


async def test_a_refusal_can_be_called_off(tuner: FakeTuner) -> None:
    """Clearing the faults opens the port at once."""
    tuner.add_faults(Refuse(seconds=60), Refuse(after=60, seconds=60))
    await until_refused(tuner, refused=True)

    tuner.clear_faults()

    await until_refused(tuner, refused=False)


@on_each_loop
async def test_a_refusal_can_be_called_off_at_any_moment() -> None:
    """However far the closing has come, afterwards the port is open."""
    async with FakeTuner().serve() as tuner:
        for turns in range(10):
            tuner.add_faults(Refuse(seconds=60))
            for _ in range(turns):
                await asyncio.sleep(0)

            tuner.clear_faults()

            for _ in range(10):
                await asyncio.sleep(0)
            async with connected(tuner) as (reader, writer):
                await send(writer)
                assert await reader.readline()


async def test_serving_can_end_in_the_middle_of_a_refusal() -> None:
    """The block is left at once and the port is free afterwards."""
    async with FakeTuner().serve() as tuner:
        tuner.add_faults(Refuse(seconds=60))
        await until_refused(tuner, refused=True)

    async with FakeTuner().serve(port=port_of(tuner)) as another:
        assert another.url == tuner.url


async def test_a_port_in_use_is_an_error(tuner: FakeTuner) -> None:
    """Whoever asks for a certain port gets it or is told."""
    with pytest.raises(OSError, match="in use"):
        async with FakeTuner().serve(port=port_of(tuner)):
            raise AssertionError("two servers on one port")


async def test_any_family_of_addresses_will_do() -> None:
    """An IPv6 address stands in brackets in the URL."""
    async with FakeTuner().serve(host="::1") as tuner, aiohttp.ClientSession() as http:
        assert tuner.url.startswith("http://[::1]:")
        assert (await post(http, tuner)).status == 201
