"""Looks at the dead-letter topic, and makes it when it is missing and may be made."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin import NewTopic as Wanted
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from ingestor.core.letter import NotWritten
from ingestor.core.letter_topic import Prepared, Shape, Unfit, design, examine
from ingestor.edge.kafka_connection import Connection

KEYS = ("cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes")
_DONE, _EXISTS, _FORBIDDEN = 0, 36, frozenset({29, 31})


async def prepare(
    connection: Connection,
    topic: str,
    sources: Sequence[str],
    *,
    answer_seconds: float,
    is_rehearsal: bool = False,
) -> Prepared | Unfit | NotWritten:
    """See that *topic* is there for the letters of *sources*, and fit for them.

    A rehearsal makes nothing, and says whether it could be made.
    """
    try:
        async with admin(connection, answer_seconds) as client:
            return await _prepare(client, topic, sources, is_rehearsal=is_rehearsal)
    except (KafkaError, OSError) as error:
        return NotWritten(type(error).__name__)


@asynccontextmanager
async def admin(connection: Connection, answer_seconds: float) -> AsyncIterator[Any]:
    """Open what asks about topics, and changes them."""
    client = AIOKafkaAdminClient(
        **connection.options(), request_timeout_ms=int(answer_seconds * 1000)
    )
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _prepare(
    client: Any, topic: str, sources: Sequence[str], *, is_rehearsal: bool
) -> Prepared | Unfit | NotWritten:
    # All of them: asking for one may make it.
    partitions = {it["topic"]: it["partitions"] for it in await client.describe_topics()}
    if topic in partitions:
        configs = await _configs(client, [topic])
        return examine(topic, configs.get(topic))
    known = [name for name in sources if name in partitions]
    if not known:
        return NotWritten("no_source_topic")
    configs = await _configs(client, known)
    shapes = [_shape(partitions[name], configs.get(name)) for name in known]
    return await _make(client, topic, shapes, is_rehearsal=is_rehearsal)


async def _make(
    client: Any, topic: str, sources: Sequence[Shape], *, is_rehearsal: bool
) -> Prepared | NotWritten:
    new = design(sources)
    wanted = Wanted(topic, new.partitions, new.replicas, topic_configs=dict(new.config))
    try:
        answer = await client.create_topics([wanted], validate_only=is_rehearsal)
    except AttributeError:  # aiokafka's own, when the cluster has no controller
        return NotWritten("no_controller")
    code = answer.topic_errors[0][1]
    if code in (_DONE, _EXISTS):
        return Prepared(is_new=True)
    why = "may not be created" if code in _FORBIDDEN else f"cannot be ({for_code(code).__name__})"
    return NotWritten(
        "topic_missing",
        f"topic {topic} does not exist, or may not be seen, and {why}: create it, and grant "
        "Describe and Write on it to this user (or Create, to have it made)",
    )


async def _configs(client: Any, topics: Iterable[str]) -> Mapping[str, Mapping[str, str | None]]:
    """Ask for the settings of *topics*; those that may not be asked for are left out."""
    wanted = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(KEYS)) for name in topics
    ]
    try:
        answers = await client.describe_configs(wanted)
    except KafkaError:  # an old broker, or the one of the demo
        return {}
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _message, _kind, name, entries in answer.resources
        if code == _DONE
    }


def _shape(
    partitions: Sequence[Mapping[str, Any]], config: Mapping[str, str | None] | None
) -> Shape:
    return Shape(len(partitions), max(len(it["replicas"]) for it in partitions), config)
