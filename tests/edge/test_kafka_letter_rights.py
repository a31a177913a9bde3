"""What a user may do with the dead-letter topic is found out, and what he lacks is named."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AclOperation,
    ResourceType,
)
from edge.certificates import Authority
from edge.secured_kafka import PASSWORD, PLAIN_USERS, SecuredKafka, secured_kafka
from kafka.jars import fetch
from system.waiting import eventually

from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letters import KafkaLetters

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

GUEST = PLAIN_USERS[1]
LETTER = Letter(b"key", b"value", ())


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[SecuredKafka]:
    """A broker where the guest may do nothing yet."""
    folder = tmp_path_factory.mktemp("secured")
    with secured_kafka(folder, fetch(os.environ), authority) as kafka:
        yield kafka


def letters_of(kafka: SecuredKafka, topic: str, source: str) -> KafkaLetters:
    """Write letters as the guest."""
    connection = Connection(
        kafka.doors["SASL"],
        "test",
        "SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        username=GUEST,
        password=PASSWORD,
    )
    return KafkaLetters(connection, topic, sources=(source,), answer_seconds=3)


async def test_each_right_that_is_missing_is_named_until_it_is_given(kafka: SecuredKafka) -> None:
    """To create the topic, to read its settings, to write to it: each at once."""
    source = await asyncio.to_thread(kafka.cluster.create_topic, partitions=3)
    name = f"{source.name}.letters"

    async def allow(topic: str, *operations: AclOperation) -> None:
        await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, topic, *operations)

    letters = letters_of(kafka, name, source.name)
    try:
        assert await letters.prepare() == NotWritten("no_source_topic")

        await allow(source.name, AclOperation.READ)
        found = await letters.prepare()
        assert isinstance(found, NotWritten)
        assert found.cause == "topic_missing"
        assert found.remedy.startswith(
            f"topic {name} does not exist, or may not be seen, and may not be created: "
        )
        assert name not in await asyncio.to_thread(kafka.cluster.topics)

        await allow(name, AclOperation.CREATE)
        assert await letters.prepare() == Prepared(is_new=True)
        async with asyncio.timeout(10):  # what is made is not yet known to all
            while not (there := await asyncio.to_thread(kafka.cluster.partitions, name)):
                pass
        assert len(there) == 3

        problem = await letters.write(LETTER)
        assert problem is not None
        assert problem.remedy == (
            f"topic {name} may not be written: grant Describe and Write on it to this user"
        )

        await allow(name, AclOperation.WRITE)

        async def is_written() -> bool:
            return await letters.write(LETTER) is None

        await eventually(is_written)
        found = await letters.prepare()
        assert isinstance(found, Prepared)
        assert "settings may not be read" in found.oddities[0]

        await allow(name, AclOperation.DESCRIBE_CONFIGS)
        assert await letters.prepare() == Prepared()
    finally:
        await letters.close()
