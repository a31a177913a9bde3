"""The command, as a process."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from devkit.fake_tuner.conftest import Certificate
from devkit.fake_tuner.practice import DEMO, JSON, QUERY, call, write

COMMAND = (sys.executable, "-m", "ingestor", "fake-tuner")


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=pipe, stderr=pipe)


async def run(*arguments: str) -> tuple[int | None, str, str]:
    """Run the command to its end."""
    process = await start(*arguments)
    async with asyncio.timeout(20):
        out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


@asynccontextmanager
async def running(*arguments: str, stop: signal.Signals = signal.SIGTERM) -> AsyncIterator[str]:
    """Run the command on a free port, give its URL, and see it end well when it is told to."""
    process = await start("--port", "0", *arguments)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
        yield line.split()[-1]
        process.send_signal(stop)
        async with asyncio.timeout(20):
            out, error = await process.communicate()
        assert (process.returncode, out, error) == (0, b"", b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def status_of(
    http: aiohttp.ClientSession, url: str, query: str = QUERY, **headers: str
) -> int:
    named = headers or DEMO
    address = f"{url}/api/v1/public/call?{query}"
    async with http.post(address, data=write(call()), headers={**JSON, **named}) as response:
        return response.status


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(
    stop: signal.Signals, http: aiohttp.ClientSession
) -> None:
    """One line says where; the demo key opens everything; a signal ends it, with success."""
    async with running(stop=stop) as url:
        assert await status_of(http, url) == 201
        assert await status_of(http, url, "workspace_id=9&agent_remote_identifier=z") == 201


async def test_a_waiting_request_does_not_hold_up_the_end(http: aiohttp.ClientSession) -> None:
    """What is being served is dropped at the signal."""
    async with asyncio.TaskGroup() as group, running("--latency-ms", "60000") as url:
        waiting = group.create_task(is_dropped(http, url))
        async with asyncio.timeout(5):
            while not await open_requests(http, url):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
    assert waiting.result()


async def is_dropped(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        await status_of(http, url)
    except aiohttp.ClientConnectionError:
        return True
    return False


async def open_requests(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(f"{url}/_standin/summary") as response:
        return int((await response.json())["open"])


async def test_options_reach_the_server(http: aiohttp.ClientSession) -> None:
    """Keys, agents, authentication and what duplicates get are as they were told."""
    keys = ("--auth", "xapikey", "--key", "base64==", "--key", "narrow=1,2")
    agents = ("--agent", "a1", "--agent", "a2")
    async with running(*keys, *agents, "--duplicates", "is_new_false") as url:
        foreign = "workspace_id=3&agent_remote_identifier=a1"
        unknown = "workspace_id=1&agent_remote_identifier=a3"
        narrow, wide = {"X-API-Key": "narrow"}, {"X-API-Key": "base64=="}

        assert await status_of(http, url, **narrow) == 201
        assert await status_of(http, url, **narrow) == 200
        assert await status_of(http, url, foreign, **narrow) == 403
        assert await status_of(http, url, foreign, **wide) == 201
        assert await status_of(http, url, unknown, **wide) == 404
        assert await status_of(http, url, **DEMO) == 401


async def test_faults_come_from_a_file(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """The rules of the file are in force from the start."""
    faults = tmp_path / "faults.json"
    rule = {"kind": "script", "answers": [{"kind": "reply", "status": 503}]}
    faults.write_text(json.dumps([rule]))

    async with running("--faults", str(faults), "--keep-bodies", "0") as url:
        assert [await status_of(http, url) for _ in range(2)] == [503, 201]


async def test_it_serves_https(certificate: Certificate) -> None:
    """With a certificate and its key the address says https."""
    files = ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
    connector = aiohttp.TCPConnector(ssl=certificate.client_context())
    async with aiohttp.ClientSession(connector=connector) as http, running(*files) as url:
        assert url.startswith("https://127.0.0.1:")
        assert await status_of(http, url) == 201


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"kind": "script"}]', "rules[0].answers: Field required"),
        ("[\n{]", "line 2, column 2: Expecting property name enclosed in double quotes"),
        (None, "No such file or directory"),
    ],
)
async def test_bad_faults_refuse_to_start(text: str | None, problem: str, tmp_path: Path) -> None:
    """The file and the place in it are named, and the exit code is 2."""
    faults = tmp_path / "faults.json"
    if text is not None:
        faults.write_text(text)

    code, out, error = await run("--faults", str(faults))

    assert (code, out, error) == (2, "", f"{faults}: {problem}\n")


async def test_a_certificate_needs_its_key(certificate: Certificate) -> None:
    """One without the other, or files that are none, refuse to start."""
    cert, key = str(certificate.cert), str(certificate.key)

    code, _, error = await run("--tls-cert", cert)
    assert (code, error) == (2, "--tls-cert and --tls-key go together: give both or neither\n")

    code, _, error = await run("--tls-cert", key, "--tls-key", cert)
    assert code == 2
    assert error.startswith(f"{key}, {cert}: ")


async def test_an_address_that_cannot_be_had_is_an_error() -> None:
    """A port in use ends the command with 1 and says so."""
    async with running() as url:
        port = url.rpartition(":")[2]

        code, out, error = await run("--port", port)

    assert (code, out) == (1, "")
    assert error == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


async def test_help_explains_every_option() -> None:
    """Whoever asks is told what there is."""
    code, out, _ = await run("--help")

    assert code == 0
    for option in (
        *("--host", "--port", "--profile", "--auth", "--key", "--agent", "--duplicates"),
        *("--latency-ms", "--latency-spread", "--capacity", "--keep-bodies", "--faults"),
        *("--tls-cert", "--tls-key"),
    ):
        assert option in out
