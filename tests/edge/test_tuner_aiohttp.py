"""What aiohttp does with names and addresses that lead nowhere."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from builders import destination, route

from ingestor.core.answer import Fault, Unanswered
from ingestor.edge.tuner_aiohttp import AiohttpTuner

KEYS = {"default": {"X-API-Key": "k"}}


async def test_a_connection_that_is_not_made_in_time_is_an_answer() -> None:
    """Packets into a void: the time for connecting is shorter than that of the request."""
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"

        timeout = aiohttp.ClientTimeout(total=9, sock_connect=0.2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            tuner = AiohttpTuner(session, KEYS)
            # The queue of one takes one more than it says.
            async with asyncio.TaskGroup() as tasks:
                posts = [
                    tasks.create_task(tuner.post(b"{}", route(to=destination(url))))
                    for _ in range(3)
                ]
                await asyncio.wait(posts, timeout=2)
                for posting in posts:
                    posting.cancel()

    answers = [posting.result() for posting in posts if not posting.cancelled()]
    assert answers
    assert set(answers) == {Unanswered(Fault.CONNECT)}


class Resolver(AbstractResolver):
    """A name service that fails with the code *errno* of getaddrinfo."""

    def __init__(self, errno: int) -> None:
        self._errno = errno

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Fail as getaddrinfo does."""
        raise socket.gaierror(self._errno, f"no {host}:{port} of family {family}")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("errno", "fault"),
    [
        (socket.EAI_NONAME, Fault.UNKNOWN_HOST),
        (socket.EAI_NODATA, Fault.UNKNOWN_HOST),
        (socket.EAI_AGAIN, Fault.CONNECT),
        (socket.EAI_FAIL, Fault.CONNECT),
    ],
)
async def test_a_name_that_is_not_found_is_an_answer(errno: int, fault: Fault) -> None:
    """That there is no such host is our fault; that nobody could say is an outage."""
    connector = aiohttp.TCPConnector(resolver=Resolver(errno))
    async with aiohttp.ClientSession(connector=connector) as session:
        tuner = AiohttpTuner(session, KEYS)
        answer = await tuner.post(b"{}", route(to=destination("https://tuner.test")))

    assert answer == Unanswered(fault)
