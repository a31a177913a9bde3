"""A bug ends the service: said in a line, with exit code 1, and its record stays uncommitted."""

import json
import os
import subprocess
import sys

from builders import event
from kafka.cluster import Cluster, Message, Topic
from settings_builders import COMPLETE

# Settings that say nothing about the size of the room are what only a bug could make.
PROCESS = """
import asyncio, dataclasses, os, sys
from ingestor import app
from ingestor.settings import load

settings = load(dict(os.environ), None)
broken = settings.ingestor.model_copy(update={"max_buffer_bytes": None})
sys.exit(asyncio.run(app.run(dataclasses.replace(settings, ingestor=broken))))
"""


def test_a_bug_ends_it_with_1_and_commits_nothing(cluster: Cluster, topic: Topic) -> None:
    """Whoever restarts it gets the record again."""
    topic.produce([Message(value=event(call_id="marker-call"), partition=1)])
    environ = COMPLETE | {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.address,
        "KAFKA_TOPICS": topic.name,
        "KAFKA_GROUP_ID": f"{topic.name}-group",
        "INGESTOR_LOG_FORMAT": "json",
        "INGESTOR_OPS_HOST": "127.0.0.1",
        "INGESTOR_OPS_PORT": "0",
    }
    ended = subprocess.run(  # noqa: S603 - this interpreter, a program of ours
        [sys.executable, "-c", PROCESS],
        env=os.environ | environ,
        capture_output=True,
        timeout=25,
        check=False,
    )
    said = [json.loads(line) for line in ended.stderr.splitlines()]

    assert ended.returncode == 1, ended.stderr
    (bug,) = [entry["error"] for entry in said if entry["event"] == "bug"]
    assert bug.startswith("TypeError")
    assert "marker-call" not in bug
    assert said[-1]["event"] == "stopped"
    committed = topic.committed(f"{topic.name}-group")
    assert committed[1].offset == 0
