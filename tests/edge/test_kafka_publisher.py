"""Events are published as they are, and counted when they are safe."""

import asyncio
import gc
from collections.abc import Iterator

import pytest
from brokers import EmbeddedKafka
from edge.hostile import Peer, serving
from kafka.cluster import Cluster, Topic
from kafka.plugin import cluster_of

from ingestor.devkit.embedded_broker import Api, EmbeddedBroker
from ingestor.edge import kafka_publisher
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_publisher import MOST_UNDER_WAY, Publication, publish
from ingestor.edge.tls import Tls

Event = tuple[bytes | None, bytes]


def events(number: int) -> Iterator[Event]:
    """Make *number* events, every second one with a key."""
    return ((b"k%d" % n if n % 2 else None, b"%d" % n) for n in range(number))


async def test_every_event_is_published_and_told(broker: EmbeddedBroker) -> None:
    """More of them than may be under way at a time; whoever waits sees them go."""
    number, told = MOST_UNDER_WAY + 500, list[int]()

    connection = Connection(broker.bootstrap_servers, "test")
    done = await publish(connection, "letters", events(number), told.append)

    assert done == Publication(number)
    assert sum(told) == number
    stored = await asyncio.to_thread(cluster_of(EmbeddedKafka(broker)).read_all, "letters")
    assert [(it.key, it.value) for it in stored] == list(events(number))


@pytest.mark.kafka
async def test_events_of_one_key_stay_in_order(cluster: Cluster, topic: Topic) -> None:
    """In one partition, on any broker."""
    same = [(b"call", b"%d" % n) for n in range(50)]

    done = await publish(Connection(cluster.address, "test"), topic.name, same, lambda _: None)

    assert done == Publication(50)
    stored = await asyncio.to_thread(topic.read_all)
    assert [it.value for it in stored] == [value for _, value in same]
    assert len({it.partition for it in stored}) == 1


async def test_no_events_are_published_at_once(broker: EmbeddedBroker) -> None:
    """A file may be empty."""
    connection = Connection(broker.bootstrap_servers, "test")

    assert await publish(connection, "calls", [], lambda _: None) == Publication(0)


async def test_without_a_broker_nothing_is_published() -> None:
    """And why is said in a word."""

    async def hang_up(_: Peer) -> None:
        pass

    async with serving(hang_up) as server:
        connection = Connection(f"127.0.0.1:{server.port}", "test")
        done = await publish(connection, "calls", events(3), lambda _: None)

    assert done == Publication(0, "KafkaConnectionError")


async def test_what_was_acknowledged_before_a_failure_counts(broker: EmbeddedBroker) -> None:
    """Whoever publishes the rest has to know where it begins."""
    connection = Connection(broker.bootstrap_servers, "test")
    told, lost = list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))

    def refuse_the_rest(count: int) -> None:
        told.append(count)
        broker.fail_next(Api.PRODUCE, [29] * 100)

    done = await publish(connection, "letters", events(MOST_UNDER_WAY * 3), refuse_the_rest)

    assert done.cause == "TopicAuthorizationFailedError"
    assert 0 < done.count == sum(told) < MOST_UNDER_WAY * 3
    gc.collect()
    assert lost == []


async def test_a_missing_certificate_is_told() -> None:
    """Like everything that stands in the way."""
    connection = Connection("127.0.0.1:1", "test", "SSL", Tls(ca="/nowhere/ca.pem"))

    done = await kafka_publisher.publish(connection, "calls", events(1), lambda _: None)

    assert done == Publication(0, "FileNotFoundError")
