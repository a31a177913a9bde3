"""Reads a topic as fast as it can be read, and does nothing else: no peer can be sooner.

It is librdkafka in a process of its own, with what is usual. It reads KAFKA, TOPIC and GROUP from
the environment, and prints for each event how many milliseconds ago it was sent, if it says so.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from uuid import uuid4

from bench import heat
from bench.figures import Run, percentile
from bench.owning import owned
from bench.works import READER, Work
from confluent_kafka import Consumer
from kafka.cluster import Cluster

_SILENT_SECONDS = 15.0
_SENT = re.compile(rb'\{"sent_ns":([0-9]+)')


def run(work: Work, *, cluster: Cluster, topic: str) -> Run:
    """Read the trickle of *work*."""
    environ = {"KAFKA": cluster.address, "TOPIC": topic, "GROUP": f"bench-{uuid4().hex[:8]}"}
    command = [sys.executable, "-m", "bench.reader"]
    with owned(command, environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        early = sum(1 for _ in islice(process.stdout, heat.FEW))
        heat.rest()
        heat.publish(work, cluster, topic)
        late = list(islice(process.stdout, work.events - heat.FEW))
    lags = [float(line) for line in late if line.strip()]
    return Run(
        work=work.name,
        peer=READER,
        accepted=early + len(late),
        missing=work.events - early - len(late),
        p50_ms=percentile(lags, 0.5) if lags else None,
        p99_ms=percentile(lags, 0.99) if lags else None,
    )


def read(consumer: Consumer) -> Iterator[bytes]:
    """Read until nothing comes any more."""
    heard = time.monotonic()
    while time.monotonic() - heard < _SILENT_SECONDS:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            heard = time.monotonic()
            yield message.value() or b""


def main() -> int:
    """Print as long as something comes."""
    settings: dict[str, str | bool] = {
        "bootstrap.servers": os.environ["KAFKA"],
        "group.id": os.environ["GROUP"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    consumer = Consumer(settings)
    consumer.subscribe([os.environ["TOPIC"]])
    try:
        for value in read(consumer):
            sent = _SENT.match(value)
            lag = (time.time_ns() - int(sent[1])) / 1e6 if sent else ""
            print(lag, flush=True)  # noqa: T201 - what it is for
    finally:
        consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
