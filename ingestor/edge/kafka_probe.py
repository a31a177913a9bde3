"""Asks a broker for what the service will need of it, and changes nothing."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.produce import ProduceRequest

from ingestor.core.finding import Finding
from ingestor.edge.kafka_connection import Connection

ANSWER_MS = 5_000


async def probe_kafka(
    connection: Connection, *, topics: Sequence[str], group_id: str, dead_letter_topic: str
) -> AsyncIterator[Finding]:
    """Ask for the brokers, the topics, the group, and write access to the dead-letter topic."""
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=ANSWER_MS)
    servers = connection.bootstrap_servers
    try:
        await admin.start()
        listed = await admin.list_topics()
        yield Finding("brokers", is_good=True, how=f"{servers} answers")
        for topic in topics:
            is_there = topic in listed
            how = (
                "exists"
                if is_there
                else "does not exist, or may not be seen; the service would wait"
            )
            yield Finding(f"topic {topic}", is_there, how)
        yield await _group(admin, group_id, topics[0])
    except (KafkaError, OSError) as error:
        yield Finding("brokers", is_good=False, how=f"{servers}: {type(error).__name__}")
        return
    finally:
        await admin.close()
    yield await _write_access(connection, dead_letter_topic)


async def _group(admin: AIOKafkaAdminClient, group_id: str, topic: str) -> Finding:
    what = f"group {group_id}"
    try:
        await admin.list_consumer_group_offsets(group_id, partitions=[TopicPartition(topic, 0)])
    except (
        KafkaError,
        AttributeError,
    ) as error:  # AttributeError: aiokafka's own, on an error code
        return Finding(what, is_good=False, how=f"may not be used ({type(error).__name__})")
    return Finding(what, is_good=True, how="may be used")


async def _write_access(connection: Connection, topic: str) -> Finding:
    """Ask with an empty produce request.

    Measured on Apache Kafka 4.1: whoever may write is told that an empty batch is invalid (87),
    whoever may not is forbidden (29) before anybody looks at the batch, and a topic that is not
    there is missing (3). The first partition may be led by another broker (6): that, too, is said
    only to those who may write.
    """
    what = f"dead-letter topic {topic}"
    client = AIOKafkaClient(**connection.options(), request_timeout_ms=ANSWER_MS)
    try:
        await client.bootstrap()
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=ANSWER_MS, topics=[(topic, [(0, b"")])]
        )
        answer = await client.send(client.get_random_node(), request)
        code = answer.topics[0][1][0][1]
    except (KafkaError, OSError) as error:
        return Finding(what, is_good=False, how=type(error).__name__)
    finally:
        await client.close()
    match code:
        case 0 | 87 | 6:
            return Finding(what, is_good=True, how="may be written")
        case 3:
            return Finding(
                what,
                is_good=False,
                how="does not exist; create it, or let the brokers create topics",
            )
        case 29:
            return Finding(
                what, is_good=False, how="may not be written; grant Write and Describe to this user"
            )
        case _:
            return Finding(what, is_good=False, how=for_code(code).__name__)
