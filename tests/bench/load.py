"""Loads a sink with wrk, one thread, and nothing else: the ceiling of one thread without Kafka."""

import re
import subprocess
import tempfile
from itertools import islice
from pathlib import Path

import orjson
from bench import building, topics
from bench.figures import Run
from bench.processes import machine_seconds
from bench.sink import CALLS, running_sink
from bench.works import WRK, Work

_SECONDS = 5
_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "k"
wrk.body = {body}
"""


def run(work: Work) -> Run:
    """Post one body of *work* over and over. NotHereError without wrk."""
    wrk = building.wrk()
    (body,) = islice(topics.values(work.size), 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "post.lua"
        script.write_text(_SCRIPT.format(body=orjson.dumps(body.decode()).decode()))
        with running_sink(folder, delay_ms=work.delay_ms) as sink:
            before = machine_seconds()
            options = ["-t1", f"-c{work.slots}", f"-d{_SECONDS}s", "-s", str(script)]
            done = subprocess.run(  # noqa: S603  # a command of our own
                [wrk, *options, sink.url + CALLS], capture_output=True, text=True, check=True
            )
            used = machine_seconds() - before
    rate = requests_a_second(done.stdout)
    return Run(work=work.name, peer=WRK, rate=rate, machine_us=1e6 * used / rate / _SECONDS)


def requests_a_second(said: str) -> float:
    """Read what wrk reports. ValueError when it reports failures, or nothing."""
    found = re.search(r"^Requests/sec: +([0-9.]+)$", said, re.MULTILINE)
    if found is None or "Non-2xx" in said:
        raise ValueError(said)
    return float(found[1])
