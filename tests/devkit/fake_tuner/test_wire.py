"""Answers on real connections, on both event loops."""

import time

import pytest
from devkit.fake_tuner.conftest import Certificate
from devkit.fake_tuner.raw import connected, meeting, on_each_loop, read_head, send

from ingestor.devkit.fake_tuner import Delay, Drip, Reply, Reset, Truncate


@on_each_loop
async def test_a_reset_is_a_reset() -> None:
    """The client sees RST, not an orderly end, and no byte of an answer."""
    async with meeting(Reset()).serve() as tuner, connected(tuner) as (reader, writer):
        await send(writer)

        with pytest.raises(ConnectionResetError):
            await reader.read()

        assert tuner.calls == []
        assert [(entry.status, entry.fault) for entry in tuner.requests] == [(None, "reset")]


@on_each_loop
async def test_a_reset_after_the_commit_leaves_the_call_behind() -> None:
    """The client sees the same reset, but the call is stored."""
    async with (
        meeting(Reset(after_commit=True)).serve() as tuner,
        connected(tuner) as (reader, writer),
    ):
        await send(writer)

        with pytest.raises(ConnectionResetError):
            await reader.read()

        assert len(tuner.calls) == 1
        assert tuner.requests[0].stored


@on_each_loop
async def test_a_truncated_answer_ends_before_its_length() -> None:
    """The head promises all of the body, half of it comes, and then an orderly end."""
    async with meeting(Truncate()).serve() as tuner, connected(tuner) as (reader, writer):
        await send(writer)

        status, headers = await read_head(reader)
        rest = await reader.read()

        assert status == 201
        assert len(rest) == int(headers["content-length"]) // 2 > 0
        assert "connection" not in headers
        assert len(tuner.calls) == 1


@on_each_loop
async def test_even_an_empty_answer_can_be_truncated() -> None:
    """Where there is nothing to halve, a byte is promised and none comes."""
    async with (
        meeting(Truncate(answer=Reply(503, body="empty"))).serve() as tuner,
        connected(tuner) as (reader, writer),
    ):
        await send(writer)

        status, headers = await read_head(reader)

        assert (status, headers["content-length"]) == (503, "1")
        assert await reader.read() == b""


@on_each_loop
async def test_a_dripping_answer_takes_its_time() -> None:
    """The body comes a byte at a time, and the connection can go on."""
    async with meeting(Drip(0.3)).serve() as tuner, connected(tuner) as (reader, writer):
        await send(writer)
        _, headers = await read_head(reader)
        began = time.monotonic()

        pieces = [await reader.read(1000)]
        while sum(map(len, pieces)) < int(headers["content-length"]):
            pieces.append(await reader.read(1000))

        # uvloop counts in whole milliseconds.
        assert 0.29 <= time.monotonic() - began < 3
        assert len(pieces) > 10
        await send(writer)
        assert (await read_head(reader))[0] == 409


@on_each_loop
async def test_the_head_of_a_dripping_answer_comes_at_once() -> None:
    """Status and headers are there long before the first byte of the body."""
    fault = Drip(60, answer=Reply(503, content="ab"))
    async with meeting(fault).serve() as tuner, connected(tuner) as (reader, writer):
        await send(writer)

        assert (await read_head(reader))[0] == 503


@on_each_loop
async def test_who_leaves_a_dripping_answer_ends_it() -> None:
    """A client that has enough frees its request long before the last drop."""
    async with meeting(Drip(10)).serve() as tuner, connected(tuner) as (reader, writer):
        await send(writer)
        await read_head(reader)

        writer.transport.abort()

        await tuner.until(lambda: tuner.summary().open == 0)


@on_each_loop
async def test_who_leaves_before_a_truncated_answer_is_noticed() -> None:
    """An answer that nobody takes any more is no error, and the log knows."""
    async with (
        meeting(Delay(0.2, answer=Truncate())).serve() as tuner,
        connected(tuner) as (_, writer),
    ):
        await send(writer)
        await tuner.until(lambda: len(tuner.requests) == 1)
        writer.transport.abort()

        await tuner.until(lambda: tuner.summary().open == 0)

        assert [(entry.status, entry.client_left) for entry in tuner.requests] == [(201, True)]


@on_each_loop
async def test_who_leaves_before_a_reset_needs_none() -> None:
    """A connection that is gone is not reset again."""
    async with (
        meeting(Delay(0.2, answer=Reset())).serve() as tuner,
        connected(tuner) as (_, writer),
    ):
        await send(writer)
        await tuner.until(lambda: len(tuner.requests) == 1)
        writer.transport.abort()

        await tuner.until(lambda: tuner.summary().open == 0)

        assert [(entry.status, entry.client_left) for entry in tuner.requests] == [(None, True)]


async def test_a_reset_cuts_through_tls(certificate: Certificate) -> None:
    """Under TLS the connection goes without a farewell as well."""
    async with (
        meeting(Reset(), tls=certificate.server_context()).serve() as tuner,
        connected(tuner, certificate.client_context()) as (reader, writer),
    ):
        await send(writer)

        with pytest.raises(ConnectionResetError):
            await reader.read()

        writer.transport.abort()


async def test_a_truncated_answer_is_truncated_under_tls(certificate: Certificate) -> None:
    """Half of the body comes through the tunnel."""
    async with (
        meeting(Truncate(), tls=certificate.server_context()).serve() as tuner,
        connected(tuner, certificate.client_context()) as (reader, writer),
    ):
        await send(writer)

        _, headers = await read_head(reader)

        assert len(await reader.read()) == int(headers["content-length"]) // 2
        writer.transport.abort()
