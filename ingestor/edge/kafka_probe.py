"""Asks a broker for what the service will need of it, and changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.produce import ProduceRequest

from ingestor.core.finding import Finding
from ingestor.core.letter import NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letter_topic import admin, prepare
from ingestor.edge.kafka_reach import obstacle

ANSWER_MS = 5_000
NO_BATCH = b"\0"
MISSING = "does not exist; create it, or let the brokers create topics"
PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0)


async def probe_kafka(
    connection: Connection, *, topics: Sequence[str], group_id: str, dead_letter_topic: str
) -> AsyncIterator[Finding]:
    """Ask for the brokers, the topics, the group, and write access to the dead-letter topic."""
    servers = connection.bootstrap_servers
    try:
        async with admin(connection, ANSWER_MS / 1000) as client:
            listed = await client.list_topics()
            yield Finding("brokers", is_good=True, how=f"{servers} answers")
            for topic in topics:
                yield _topic(topic, is_there=topic in listed)
            yield await _group(client, group_id, topics[0])
    except (KafkaError, OSError) as error:
        cause = await obstacle(connection) or type(error).__name__
        yield Finding("brokers", is_good=False, how=f"{servers}: {cause}")
        return
    access = await _write_access(connection, dead_letter_topic)
    yield await _letter_topic(connection, dead_letter_topic, topics, access)


async def _letter_topic(
    connection: Connection, topic: str, sources: Sequence[str], access: Finding
) -> Finding:
    """Say more than whether it may be written: whether letters are safe there, or that it would be
    made.
    """
    if not access.is_good and access.how != MISSING:
        return access
    match await prepare(
        connection, topic, sources, answer_seconds=ANSWER_MS / 1000, is_rehearsal=True
    ):
        case Prepared(is_new=True):
            return Finding(
                access.what, is_good=True, how="does not exist; the service will make it"
            )
        case Prepared(oddities) if oddities and access.is_good:
            return Finding(
                access.what, is_good=True, how=f"{access.how}, but {'; '.join(oddities)}"
            )
        case Unfit(why):
            return Finding(access.what, is_good=False, how=why)
        case NotWritten(remedy=remedy) if remedy and not access.is_good:
            return Finding(access.what, is_good=False, how=remedy)
        case _:
            return access


def _topic(name: str, *, is_there: bool) -> Finding:
    absent = "does not exist, or may not be seen; the service would wait"
    return Finding(f"topic {name}", is_there, "exists" if is_there else absent)


async def _group(admin: AIOKafkaAdminClient, group_id: str, topic: str) -> Finding:
    """Ask for the group's offsets; again for a while, since a cluster that never had a group is
    still making the topic in which they are kept.
    """
    what, cause = f"group {group_id}", ""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        try:
            await admin.list_consumer_group_offsets(group_id, partitions=[TopicPartition(topic, 0)])
        except (KafkaError, AttributeError) as error:  # the latter is aiokafka's own, on an error
            cause = type(error).__name__
            if isinstance(error, KafkaError) and not error.retriable:
                break
        else:
            return Finding(what, is_good=True, how="may be used")
    return Finding(what, is_good=False, how=f"may not be used ({cause})")


async def _write_access(connection: Connection, topic: str) -> Finding:
    """Ask with a produce request whose batch is none.

    Measured on Apache Kafka 4.1: whoever may write is told that the batch is invalid (87), whoever
    may not is forbidden (29) before anybody looks at the batch, and a topic that is not there is
    missing (3). The first partition may be led by another broker (6): that, too, is said only to
    those who may write. The broker of the demo has a code of its own for it (-155), and would end
    itself if the batch were empty.
    """
    what = f"dead-letter topic {topic}"
    client = AIOKafkaClient(**connection.options(), request_timeout_ms=ANSWER_MS)
    try:
        await client.bootstrap()
        request = ProduceRequest(
            transactional_id=None,
            required_acks=-1,
            timeout=ANSWER_MS,
            topics=[(topic, [(0, NO_BATCH)])],
        )
        answer = await client.send(client.get_random_node(), request)
        code = answer.topics[0][1][0][1]
    except (KafkaError, OSError) as error:
        return Finding(what, is_good=False, how=type(error).__name__)
    finally:
        await client.close()
    match code:
        case 87 | 6 | -155:
            return Finding(what, is_good=True, how="may be written")
        case 3:
            return Finding(what, is_good=False, how=MISSING)
        case 29:
            return Finding(
                what, is_good=False, how="may not be written; grant Write and Describe to this user"
            )
        case _:
            return Finding(what, is_good=False, how=for_code(code).__name__)
