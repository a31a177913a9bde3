"""What ends the service by itself is said in a line, with exit code 1."""

import json
import os
import subprocess
import sys

import pytest
from builders import event
from kafka.cluster import Cluster, Message, Topic
from settings_builders import COMPLETE

from ingestor.devkit.embedded_broker import Api, EmbeddedBroker

# A rate that is no number is what only a bug could make.
PROCESS = """
import asyncio, dataclasses, os, sys
from ingestor import app
from ingestor.settings import load

settings = load(dict(os.environ), None)
broken = settings.ingestor.model_copy(update={"max_rate": "fast"})
sys.exit(asyncio.run(app.run(dataclasses.replace(settings, ingestor=broken))))
"""


SERVICE = """
import asyncio, os, sys
from ingestor import app
from ingestor.settings import load

sys.exit(asyncio.run(app.run(load(dict(os.environ), None))))
"""
UNKNOWN_MEMBER, FENCED_INSTANCE_ID = 25, 82


# The third post meets a bug, or has a timer meet it, while others are under way and many records
# wait for a slot.
CROWDED = """
import asyncio, os, sys
from ingestor import app, assembly
from ingestor.core.answer import Answered
from ingestor.core.letter_topic import Prepared
from ingestor.core.record import Partition, Record
from ingestor.core.starts import Start
from ingestor.edge.credentials import Keyring
from ingestor.edge.health import Health
from ingestor.edge.logs import configure
from ingestor.edge.metrics import Metrics
from ingestor.edge.observer import ServiceObserver
from ingestor.settings import load

EVENT, P0 = os.environ.pop("EVENT"), Partition("call-ended", 0)
BY_TIMER = os.environ.pop("BY_TIMER")

class World:
    posts = 0
    read = False

    def serve(self, assignments):
        assignments.begin({P0: Start(0)})
        assignments.renew(0.0)

    async def take(self, partitions, most):
        if self.read:
            return await asyncio.Event().wait()
        self.read = True
        values = [EVENT.replace("call-1", f"call-{at}").encode() for at in range(200)]
        return [Record(P0, at, 1, None, value) for at, value in enumerate(values)]

    async def commit(self, offsets, memos):
        return True

    async def ends(self):
        return {}

    async def prepare(self):
        return Prepared()

    async def post(self, body, route):
        self.posts += 1
        if self.posts == 3 and BY_TIMER:
            self.service._clock.call_later(0, lambda: 1 / 0)
        elif self.posts == 3:
            raise ZeroDivisionError
        await asyncio.sleep(0.01)
        return Answered(201)

settings = load(dict(os.environ), None)
metrics, world = Metrics("0"), World()
observer = ServiceObserver(configure("error", "json"), metrics, Health())
keys = Keyring(assembly.credentials(settings), observer)

async def serve():
    world.service = app.Service(settings, source=world, letters=world, tuner=world, keys=keys,
                                observer=observer, metrics=metrics)
    await world.service.run(asyncio.Event())

try:
    asyncio.run(serve())
except* ZeroDivisionError:
    print(world.posts)
"""


def test_a_place_that_was_taken_ends_it_with_1() -> None:
    """Two processes have one name: only somebody who gives each its own can mend that."""
    with EmbeddedBroker() as broker:
        broker.create_topic("call-ended")
        # The first heartbeat is answered like that, and so is the question that follows.
        broker.fail_next(Api.HEARTBEAT, [UNKNOWN_MEMBER, FENCED_INSTANCE_ID])
        ended = subprocess.run(  # noqa: S603 - this interpreter, a program of ours
            [sys.executable, "-c", SERVICE],
            env=os.environ
            | COMPLETE
            | {
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
                "KAFKA_TOPICS": "call-ended",
                "KAFKA_GROUP_INSTANCE_ID": "pod-0",
                "INGESTOR_LOG_FORMAT": "json",
                "INGESTOR_OPS_HOST": "127.0.0.1",
                "INGESTOR_OPS_PORT": "0",
            },
            capture_output=True,
            timeout=30,
            check=False,
        )
    said = [json.loads(line) for line in ended.stderr.splitlines()]

    assert ended.returncode == 1, ended.stderr
    (fenced,) = [entry for entry in said if entry["event"] == "fenced"]
    assert fenced["instance_id"] == "pod-0"
    assert "KAFKA_GROUP_INSTANCE_ID" in fenced["remedy"]
    assert [entry for entry in said if entry["event"] == "bug"] == []
    assert said[-1]["event"] == "stopped"


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


@pytest.mark.parametrize("by_timer", ["", "yes"], ids=["in a task", "in a timer"])
def test_a_bug_lets_nothing_begin_that_waited_for_a_slot(by_timer: str) -> None:
    """All that are under way are cut off: the slots that they give back are for nobody."""
    ended = subprocess.run(  # noqa: S603 - this interpreter, a program of ours
        [sys.executable, "-W", "error", "-c", CROWDED],
        env=os.environ
        | COMPLETE
        | {"EVENT": event(call_id="call-1").decode(), "BY_TIMER": by_timer}
        | {"INGESTOR_MAX_CONCURRENCY": "3"},
        capture_output=True,
        timeout=25,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"3\n", b"")
