"""The dead-letter topic is looked at before it is used, and made when it is missing."""

import asyncio
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    ConfigResource,
    ResourceType,
)
from kafka.cluster import Cluster
from system.waiting import eventually

from ingestor.core.letter import NotWritten
from ingestor.core.letter_topic import HEADROOM, Prepared, Unfit
from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letter_topic import prepare

UNREADABLE = "settings may not be read"


async def prepared(
    address: str, topic: str, *sources: str, is_rehearsal: bool = False
) -> Prepared | Unfit | NotWritten:
    """Prepare *topic* for the letters of *sources*."""
    connection = Connection(address, "test")
    return await prepare(connection, topic, sources, answer_seconds=5, is_rehearsal=is_rehearsal)


def config(admin: AdminClient, topic: str) -> dict[str, str]:
    """Read the settings of *topic*."""
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in future.result(10).items()}


async def test_a_broker_that_cannot_tell_is_believed(broker: EmbeddedBroker) -> None:
    """An old one, or that of the demo: somebody is told to look for himself."""
    found = await prepared(broker.bootstrap_servers, "letters", "calls")

    assert isinstance(found, Prepared)
    assert UNREADABLE in found.oddities[0]


async def test_without_a_controller_nothing_can_be_made(broker: EmbeddedBroker) -> None:
    """It may come back."""
    found = await prepared(broker.bootstrap_servers, "other", "calls")

    assert found == NotWritten("no_controller")


async def test_without_its_source_no_topic_is_made(broker: EmbeddedBroker) -> None:
    """Nobody knows how wide it has to be; and there is nothing to die yet."""
    assert await prepared(broker.bootstrap_servers, "other", "no-such") == NotWritten(
        "no_source_topic"
    )


async def test_without_a_broker_nothing_is_known() -> None:
    """Which is a value like any other."""
    assert await prepared("127.0.0.1:1", "letters", "calls") == NotWritten("KafkaConnectionError")


@pytest.mark.system
async def test_a_missing_topic_is_made_as_its_source_is(
    cluster: Cluster, admin: AdminClient
) -> None:
    """As many partitions, for ever, and room for our headers; a rehearsal only says so."""
    source = await asyncio.to_thread(
        cluster.create_topic, partitions=7, config={"max.message.bytes": "3000000"}
    )
    name = f"{source.name}.letters"

    found = await prepared(cluster.address, name, source.name, is_rehearsal=True)
    assert found == Prepared(is_new=True)
    assert name not in await asyncio.to_thread(cluster.topics)

    assert await prepared(cluster.address, name, source.name) == Prepared(is_new=True)

    async def is_there() -> bool:
        return await prepared(cluster.address, name, source.name) == Prepared()

    await eventually(is_there)
    assert len(await asyncio.to_thread(cluster.partitions, name)) == 7
    made = await asyncio.to_thread(config, admin, name)
    assert made["cleanup.policy"] == "delete"
    assert made["retention.ms"] == made["retention.bytes"] == "-1"
    assert made["max.message.bytes"] == str(3_000_000 + HEADROOM)


@pytest.mark.system
async def test_two_services_may_make_it_at_the_same_time(cluster: Cluster) -> None:
    """One of them is later, which is as good."""
    source = await asyncio.to_thread(cluster.create_topic)
    name = f"{source.name}.letters"
    async with asyncio.TaskGroup() as tasks:
        making = [tasks.create_task(prepared(cluster.address, name, source.name)) for _ in range(8)]

    assert all(isinstance(task.result(), Prepared) for task in making)


@pytest.mark.system
async def test_a_compacted_topic_is_unfit_and_a_short_retention_is_told(cluster: Cluster) -> None:
    """As Apache Kafka writes its settings."""
    compacted = await asyncio.to_thread(
        cluster.create_topic, config={"cleanup.policy": "compact,delete"}
    )
    short = await asyncio.to_thread(cluster.create_topic, config={"retention.ms": "86400000"})

    found = await prepared(cluster.address, compacted.name, "any")
    assert isinstance(found, Unfit)
    assert "is compacted" in found.why

    found = await prepared(cluster.address, short.name, "any")
    assert isinstance(found, Prepared)
    assert "letters are removed after 1 days" in found.oddities[0]


@pytest.mark.system
async def test_what_a_broker_refuses_to_make_is_named(cluster: Cluster) -> None:
    """Here a name that no topic can have."""
    source = await asyncio.to_thread(cluster.create_topic)

    found = await prepared(cluster.address, f"{uuid4()}!", source.name)

    assert isinstance(found, NotWritten)
    assert found.cause == "topic_missing"
    assert "InvalidTopicError" in found.remedy
