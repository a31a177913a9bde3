"""The whole thing as its users run it: `publish`, `run` and `fake-tuner`, three processes."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from kafka.cluster import Cluster, Topic
from system.processes import CommandProcess, command, service
from system.waiting import eventually

from ingestor.devkit.fake_tuner import DEMO_KEY
from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

# Fewer on a machine that has little time.
EVENTS = int(os.environ.get("ACCEPTANCE_EVENTS", "20000"))
BYTES = 4_000
PARTITIONS = 12
CALL = "call-{:08}"


async def test_every_published_event_arrives_exactly_once(cluster: Cluster, tmp_path: Path) -> None:
    """The fake Tuner's own log has the last word, and the group has nothing left to read."""
    topic = await asyncio.to_thread(cluster.create_topic, partitions=PARTITIONS)
    file = tmp_path / "calls.jsonl"
    file.write_bytes(events())
    async with (
        command("fake-tuner", "--port", "0", "--keep-bodies", "0") as tuner,
        aiohttp.ClientSession() as http,
    ):
        url = await address(tuner)
        settings = environ(topic, url)
        async with (
            service(settings) as running,
            command("publish", str(file), environ=settings) as publisher,
        ):
            await running.until_ready()
            assert await publisher.ended(120) == 0
            await eventually(lambda: is_finished(topic), 120, so_far=lambda: running.said)
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0
        async with http.get(f"{url}/_standin/summary") as answer:
            summary = await answer.json()
        tuner.signal(signal.SIGTERM)
        assert await tuner.ended() == 0

    assert publisher.output == [f"{EVENTS} of {EVENTS} events on {topic.name}"]
    arrivals = {call_id: len(orders) for call_id, orders in summary["arrivals"].items()}
    assert arrivals == {CALL.format(number): 1 for number in range(EVENTS)}
    assert summary["statuses"] == {"201": EVENTS}
    assert summary["calls"] == EVENTS


def events() -> bytes:
    """Make the lines of a file: one conversation under many call_ids, which is quick."""
    one = body(CALL.format(0), size=BYTES)
    return b"\n".join(
        one.replace(CALL.format(0).encode(), CALL.format(n).encode()) for n in range(EVENTS)
    )


def environ(topic: Topic, url: str) -> Mapping[str, str]:
    """Name the five settings, and what keeps this test from the others."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": topic.cluster.address,
        "TUNER_API_KEY": DEMO_KEY,
        "TUNER_WORKSPACE_ID": "1",
        "TUNER_AGENT_ID": "front-desk",
        "TUNER_BASE_URL": url,
        "KAFKA_TOPICS": topic.name,
        "KAFKA_GROUP_ID": topic.name,
    }


async def address(tuner: CommandProcess) -> str:
    """Wait until the fake Tuner has said where it listens."""
    lines = await eventually(lambda: tuner.output)
    found = re.search(r"http://\S+", lines[0])
    assert found is not None, lines
    return found[0]


async def is_finished(topic: Topic) -> bool:
    """Whether the group has committed every event; the lag is 0."""
    committed = await asyncio.to_thread(topic.committed, topic.name)
    return sum(place.offset for place in committed.values()) == EVENTS
