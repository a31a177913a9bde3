"""Compare limiters on a real fake Tuner over HTTP: `PYTHONPATH=tests python
tests/bench/real_limits.py`; what the choice among simulated ones is checked with.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import uvloop
from bench.rivals import Aimd, AnyLimiter, Fixed, Gradient2, Vegas

from ingestor.core.limiter import Limiter
from ingestor.core.route import Destination, Route
from ingestor.core.sign import sign
from ingestor.devkit.fake_tuner import DEMO_KEY, FakeTuner, Latency, Options
from ingestor.devkit.sample_calls import body
from ingestor.edge.credentials import Credential
from ingestor.edge.requests import Wire
from ingestor.edge.tls import Tls
from ingestor.edge.tuner_aiohttp import AiohttpTuner, aiohttp_tuner

SECONDS, WARM_UP = 8.0, 2.0
BODY = body("CALL", size=4_000)
TUNERS = {
    "merely slow, 200 ms": (Options(latency=Latency(0.2), keep_bodies=0), 128),
    "20 workers of 200 ms": (Options(latency=Latency(0.2, 0.3), capacity=20, keep_bodies=0), 256),
    "at once": (Options(keep_bodies=0), 64),
}
LIMITERS: dict[str, Callable[[int], AnyLimiter]] = {
    "fixed": Fixed,
    "AIMD": Aimd,
    "Vegas": Vegas,
    "gradient2": Gradient2,
    "ours": Limiter,
}


@contextmanager
def tuner(options: Options) -> Iterator[str]:
    """Serve a fake Tuner in a process of its own; give its address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(options, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _serve(options: Options, pipe: Connection) -> None:
    async def serve() -> None:
        async with FakeTuner(options).serve() as served:
            pipe.send(served.url)
            await asyncio.to_thread(pipe.recv)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


async def measure(url: str, limiter: AnyLimiter) -> tuple[float, float, float]:
    """Post for a while; return calls a second, the 99th percentile of latency and the mean limit
    after the warm-up.
    """
    route = Route(Destination(url, "default"), "1", "front-desk")
    wire = Wire(15.0, Tls(), "bench")
    durations: list[float] = []
    limits: list[int] = []
    in_flight = count = 0
    began = time.monotonic()

    async def post(posting: AiohttpTuner, call_id: str) -> None:
        nonlocal in_flight
        start = time.monotonic()
        answer = await posting.post(BODY.replace(b"CALL", call_id.encode()), route)
        now = time.monotonic()
        limiter.note(sign(answer), seconds=now - start, in_flight=in_flight, now=now)
        in_flight -= 1
        if now - began > WARM_UP:
            durations.append(now - start)
            limits.append(limiter.limit)

    headers = {"default": Credential(DEMO_KEY, "both").headers()}
    async with aiohttp_tuner(wire, headers) as posting, asyncio.TaskGroup() as tasks:
        while time.monotonic() - began < SECONDS:
            while in_flight < limiter.limit:
                in_flight += 1
                count += 1
                tasks.create_task(post(posting, f"{began}-{count}"))
            await asyncio.sleep(0.001)  # how often a limit that has moved is looked at
    durations.sort()
    return (
        len(durations) / (SECONDS - WARM_UP),
        durations[int(len(durations) * 0.99)],
        sum(limits) / len(limits),
    )


def main() -> None:
    """Print a table of all servers and limiters."""
    for title, (options, most) in TUNERS.items():
        print(f"\n{title}\n{'':10} {'calls/s':>8} {'p99 ms':>7} {'limit':>6}")  # noqa: T201 - what it is for
        for name, make in LIMITERS.items():
            with tuner(options) as url:
                rate, p99, limit = uvloop.run(measure(url, make(most)))
            print(f"{name:10} {rate:8.0f} {p99 * 1000:7.0f} {limit:6.0f}", flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
