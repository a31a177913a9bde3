"""`ingestor publish`: puts events on the topic."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from brokers import reserve_port
from builders import envelope, event, framed
from cli.commands import invoke
from kafka.cluster import Cluster, Topic

from ingestor.cli.events import Event
from ingestor.cli.publish import key
from ingestor.devkit.embedded_broker import EmbeddedBroker

COUNT = 12_000


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """Give a broker with the topics of this module."""
    with EmbeddedBroker() as running:
        for name in ("events", "many", "other"):
            running.create_topic(name, partitions=3)
        yield running


def topic(broker: EmbeddedBroker, name: str) -> Topic:
    """Name a topic of *broker*."""
    return Topic(Cluster(broker.bootstrap_servers), name)


def settings(broker: EmbeddedBroker, name: str) -> dict[str, str]:
    """Name all that publishing needs: no key, no workspace, no agent."""
    return {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "KAFKA_TOPICS": f"{name},other"}


def test_events_arrive_byte_for_byte_with_their_call_id_as_the_key(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Good or not: whoever practises with broken events needs them as broken as they are."""
    bare, wrapped = event(call_id="bäre"), orjson.dumps(envelope())
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\n".join([bare, b" " + wrapped, b"nonsense", b'{"call_id": 7}']))

    result = invoke("publish", file, environ=settings(broker, "events"))

    assert (result.exit_code, result.stdout) == (0, "4 of 4 events on events\n")
    found = {stored.value: stored.key for stored in topic(broker, "events").read_all()}
    assert found == {
        bare: "bäre".encode(),
        wrapped: b"orders-7f3a",
        b"nonsense": None,
        b'{"call_id": 7}': None,
    }


def test_many_events_are_under_way_and_each_is_acknowledged(broker: EmbeddedBroker) -> None:
    """More than are kept waiting at a time, all of them in the topic that the option names."""
    text = b"\n".join(b'{"call_id":"c%d"}' % number for number in range(COUNT))

    result = invoke(
        "publish", "-", "--topic", "many", environ=settings(broker, "events"), stdin=text
    )

    assert (result.exit_code, result.stdout) == (0, f"{COUNT} of {COUNT} events on many\n")
    arrived = [stored.value for stored in topic(broker, "many").read_all()]
    assert sorted(arrived, key=str) == sorted(text.split(b"\n"), key=str)


def test_without_a_broker_it_says_so_and_fails(tmp_path: Path) -> None:
    """How many were acknowledged, then why no more: one sentence, not the log of a library."""
    file = tmp_path / "e.json"
    file.write_bytes(event())
    with reserve_port() as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        result = invoke("publish", file, environ={"KAFKA_BOOTSTRAP_SERVERS": address})

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.strip() == "0 of 1 events on call-ended; then: KafkaConnectionError"


def test_without_an_address_nothing_is_published(tmp_path: Path) -> None:
    """That setting is the one that cannot be done without."""
    file = tmp_path / "e.json"
    file.write_bytes(event())

    result = invoke("publish", file)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("problem  KAFKA_BOOTSTRAP_SERVERS: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (event(call_id="a"), b"a"),
        (orjson.dumps(envelope()), b"orders-7f3a"),
        (framed(event(call_id="a")), None),
        (b'{"data": {"call_id": 7}}', None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_call_id_is_found_where_it_stands(value: bytes, found: bytes | None) -> None:
    """It keeps the events of one call in one partition; an event without one goes anywhere."""
    assert key(Event("e", value)) == found
