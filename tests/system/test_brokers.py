"""The brokers of our tests do what the tests that rely on them believe."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from brokers import KafkaFailedError, RealKafka, reserve_port
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from kafka.cluster import Cluster, Committed, Message, Topic
from kafka.jars import KafkaFiles, fetch

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def files() -> KafkaFiles:
    """The files of the real Kafka."""
    return fetch(os.environ)


# What any broker gives


@pytest.mark.kafka
def test_a_record_comes_back_as_it_was_written(topic: Topic) -> None:
    """Empty, absent and binary keys, values and headers are different things."""
    messages = [
        Message(value=b"\x00\xff", key=b"k", headers=(("h", b"\xfe"), ("n", None)), partition=2),
        Message(value=None, key=b"k", partition=2),
        Message(value=b"", key=None, partition=0),
    ]

    places = topic.produce(messages)

    assert places == [(2, 0), (2, 1), (0, 0)]
    assert [(r.partition, r.offset, r.key, r.value, r.headers) for r in topic.read_all()] == [
        (0, 0, None, b"", ()),
        (2, 0, b"k", b"\x00\xff", (("h", b"\xfe"), ("n", None))),
        (2, 1, b"k", None, ()),
    ]
    assert topic.end_offsets() == {0: 1, 1: 0, 2: 2, 3: 0}


@pytest.mark.kafka
def test_a_topic_is_new_to_each_test(cluster: Cluster, topic: Topic) -> None:
    """No test meets another's records."""
    other = cluster.create_topic(partitions=1)

    assert other.name != topic.name
    assert other.end_offsets() == {0: 0}
    assert other.read_all() == []
    assert {topic.name, other.name} <= cluster.topics()


@pytest.mark.kafka
def test_a_commit_is_seen_with_its_metadata(cluster: Cluster, topic: Topic) -> None:
    """A partition without a commit is left out, not shown as zero."""
    topic.produce([Message(value=b"x", partition=1)])
    group = f"group-{uuid4().hex}"
    consumer = Consumer({"bootstrap.servers": cluster.address, "group.id": group})
    place = TopicPartition(topic.name, 1, 1, "what is done beyond")
    consumer.commit(offsets=[place], asynchronous=False)
    consumer.close()

    assert topic.committed(group) == {1: Committed(1, "what is done beyond")}
    assert topic.committed("a group that never was") == {}


# A real Kafka


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_killed_kafka_comes_back_with_its_records_and_commits(
    real_kafka: RealKafka, cluster: Cluster, topic: Topic
) -> None:
    """What was acknowledged before a kill -9 is there after it, at the same address."""
    topic.produce([Message(value=b"before", partition=0)])
    consumer = Consumer({"bootstrap.servers": cluster.address, "group.id": topic.name})
    consumer.commit(offsets=[TopicPartition(topic.name, 0, 1, "m")], asynchronous=False)
    consumer.close()
    address, pid = real_kafka.address, real_kafka.pid

    real_kafka.kill()
    assert not real_kafka.is_running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    real_kafka.start()

    assert real_kafka.address == address
    assert real_kafka.pid != pid
    topic.produce([Message(value=b"after", partition=0)])
    assert [stored.value for stored in topic.read_all()] == [b"before", b"after"]
    assert topic.committed(topic.name) == {0: Committed(1, "m")}


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_kafka_restarts_in_order(real_kafka: RealKafka, topic: Topic) -> None:
    """A restart stops a running broker, starts a dead one, and keeps the records either way."""
    topic.produce([Message(value=b"x", partition=0)])

    real_kafka.restart()
    assert [stored.value for stored in topic.read_all()] == [b"x"]

    real_kafka.stop()
    assert not real_kafka.is_running
    host, port = real_kafka.address.split(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port))):
        pass
    real_kafka.restart()
    assert [stored.value for stored in topic.read_all()] == [b"x"]


@pytest.mark.system
def test_a_misspelt_topic_is_not_made_up(cluster: Cluster) -> None:
    """A missing topic stays missing, whoever asks for it and produces to it."""
    settings = {"bootstrap.servers": cluster.address, "log_level": 0, "message.timeout.ms": 1000}
    producer = Producer(settings)
    failures: list[bool] = []
    producer.produce(
        "call-endet", b"x", on_delivery=lambda error, _: failures.append(error is not None)
    )
    producer.flush(10)

    assert failures == [True]
    assert "call-endet" not in cluster.topics()
    assert cluster.partitions("call-endet") == []


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_kafka_takes_settings_and_new_ports(tmp_path: Path, files: KafkaFiles) -> None:
    """Settings of a test go before ours, and a port that is taken is not the end."""
    listener = reserve_port()
    listener.listen()
    holders = iter([listener, reserve_port(), reserve_port(), reserve_port()])
    settings = {"message.max.bytes": "2000", "auto.create.topics.enable": "true"}

    with RealKafka(tmp_path, files, properties=settings, reserve=lambda: next(holders)) as kafka:
        cluster = Cluster(kafka.address)
        topic = cluster.create_topic(partitions=1)
        with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
            topic.produce([Message(value=os.urandom(3000))])
        with pytest.raises(RuntimeError, match="runs already"):
            kafka.start()
        assert next(holders, None) is None

    assert not kafka.is_running


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_kafka_that_does_not_come_up_says_why(tmp_path: Path, files: KafkaFiles) -> None:
    """The end of the broker's log is in the error, and nothing is left running."""
    kafka = RealKafka(tmp_path, files, properties={"num.partitions": "many"})

    with pytest.raises(KafkaFailedError, match="Invalid value many for configuration"):
        kafka.start()

    assert not kafka.is_running
    with pytest.raises(RuntimeError, match="does not run"):
        kafka.kill()
    kafka.close()
    with pytest.raises(RuntimeError, match="never started"):
        _ = kafka.address


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_kafka_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A test run that is killed leaves no broker behind on the machine."""
    script = """if True:
        import os, pathlib, sys
        from brokers import RealKafka
        from kafka.jars import fetch
        kafka = RealKafka(pathlib.Path(sys.argv[1]), fetch(os.environ))
        kafka.start()
        print(kafka.pid, flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(  # noqa: S603  # a script of our own
        [sys.executable, "-c", script, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        os.kill(pid, 0)
        owner.send_signal(signal.SIGKILL)

    assert _ended(pid)


# Which broker a run gets


def run_pytest(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one test for any broker and one marked `system`, with nothing else in the environment."""
    tests = [test_a_record_comes_back_as_it_was_written, test_a_kafka_restarts_in_order]
    names = [f"{__file__}::{test.__name__}" for test in tests]
    return subprocess.run(  # noqa: S603  # this test file
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *names],
        cwd=TESTS.parent,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_without_a_kafka_a_system_test_is_skipped_and_in_ci_fails(
    tmp_path: Path, ci: str, outcome: str
) -> None:
    """Nobody takes a run for a whole one that tested half, and CI never tests half."""
    (tmp_path / "bin").mkdir()

    done = run_pytest({"PATH": str(tmp_path / "bin"), "CI": ci})

    assert f"1 passed, {outcome}" in done.stdout
    assert done.returncode == (1 if ci else 0)
    assert "needs a real Kafka, and there is only the embedded broker: Java is not" in done.stdout
    assert "kafka: the embedded broker (Java is not installed); not tested: " in done.stdout


@pytest.mark.system
@pytest.mark.timeout(120)
def test_a_kafka_that_was_named_is_used_but_not_killed(real_kafka: RealKafka) -> None:
    """Whoever lends a broker finds it running afterwards."""
    done = run_pytest({"PATH": os.defpath, "KAFKA_BOOTSTRAP_SERVERS": real_kafka.address})

    assert "1 passed, 1 skipped" in done.stdout
    assert f"kafka: the Kafka at {real_kafka.address} (KAFKA_BOOTSTRAP_SERVERS)" in done.stdout
    assert real_kafka.is_running


def _ended(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
