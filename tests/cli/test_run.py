"""`ingestor run`: the service, from its settings to its exit code."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from cli.commands import invoke
from kafka.cluster import Cluster, Topic
from settings_builders import COMPLETE

from ingestor.devkit.embedded_broker import Api, EmbeddedBroker


def test_bad_settings_refuse_to_start(tmp_path: Path) -> None:
    """All of them at once, and 2, so that whoever restarts it knows that it is no use."""
    config = tmp_path / "config.toml"
    config.write_text("[ingestor]\nmax_concurrency = 0\n")

    result = invoke("run", "--config", config, environ=COMPLETE | {"TUNER_API_KEY": ""})

    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "problem  ingestor.max_concurrency",
        "problem  TUNER_API_KEY",
    ]


def test_it_serves_until_a_signal_and_ends_with_0() -> None:
    """The signal comes when it has partitions; then it leaves the group and is done."""
    has_ended = threading.Event()
    with EmbeddedBroker() as broker:
        broker.create_topic("call-ended")
        broker.record_requests()

        def stop() -> None:
            deadline = time.monotonic() + 20
            while not has_ended.wait(0.05) and time.monotonic() < deadline:
                if any(request.api == Api.FETCH for request in broker.requests()):
                    os.kill(os.getpid(), signal.SIGTERM)
                    return

        stopper = threading.Thread(target=stop)
        stopper.start()
        environ = COMPLETE | {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INGESTOR_OPS_HOST": "127.0.0.1",
            "INGESTOR_OPS_PORT": "0",
        }
        result = invoke("run", environ=environ)
        has_ended.set()
        stopper.join()
        apis = {request.api for request in broker.requests()}

    assert result.exit_code == 0, result.output
    assert Api.LEAVE_GROUP in apis


@pytest.mark.system
def test_a_compacted_dead_letter_topic_ends_it_with_2(cluster: Cluster, topic: Topic) -> None:
    """Equal keys would erase letters: the topic has to be changed, and a restart is no use."""
    letters = cluster.create_topic(config={"cleanup.policy": "compact"})
    environ = COMPLETE | {
        "KAFKA_BOOTSTRAP_SERVERS": cluster.address,
        "KAFKA_TOPICS": topic.name,
        "KAFKA_DEAD_LETTER_TOPIC": letters.name,
        "INGESTOR_LOG_FORMAT": "json",
        "INGESTOR_OPS_HOST": "127.0.0.1",
        "INGESTOR_OPS_PORT": "0",
    }

    assert invoke("run", environ=environ).exit_code == 2
