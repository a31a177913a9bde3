"""The first signal asks for a drain, the second ends the process."""

import asyncio
import os
import signal
import sys
import textwrap
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from ingestor.edge.signals import hang_up_signal, stop_signals

PROCESS = textwrap.dedent("""
    import asyncio, sys, uvloop
    from ingestor.edge.signals import stop_signals

    async def main():
        try:
            with stop_signals() as stop:
                print("ready", flush=True)
                await stop.wait()
                print("draining", flush=True)
                await asyncio.sleep(60)
        finally:
            print("cleaned up", flush=True)

    factory = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
""")


@asynccontextmanager
async def started(loop: str) -> AsyncIterator[Process]:
    """Start a process that waits for signals, on an event loop by name."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, loop, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    """Read a line of what *process* says."""
    assert process.stdout is not None
    async with asyncio.timeout(10):
        return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_the_process_at_once(
    loop: str, first: signal.Signals, second: signal.Signals
) -> None:
    """With 1, and nothing more is done: no clean-up, no commit."""
    async with started(loop) as process:
        assert await line(process) == "ready"

        process.send_signal(first)
        assert await line(process) == "draining"
        process.send_signal(second)

        async with asyncio.timeout(5):
            assert await process.wait() == 1
        assert process.stdout is not None
        assert await process.stdout.read() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_sets_the_event(number: signal.Signals) -> None:
    """And nothing else: whoever waits for it drains."""
    with stop_signals() as stop:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stop.wait()


async def test_the_handlers_are_gone_afterwards() -> None:
    """Whoever comes next has those of a process that waits for nothing."""
    with stop_signals() as stop:
        assert not stop.is_set()
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_a_hang_up_calls_each_time_and_ends_nothing() -> None:
    """Afterwards it ends a process again, as the system has it."""
    calls = []
    heard = asyncio.Event()

    def on_call() -> None:
        calls.append(signal.SIGHUP)
        heard.set()

    with hang_up_signal(on_call):
        for _ in range(2):
            heard.clear()
            os.kill(os.getpid(), signal.SIGHUP)
            async with asyncio.timeout(5):
                await heard.wait()

    assert len(calls) == 2
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
