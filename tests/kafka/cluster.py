"""What a test asks of a Kafka from outside: topics, records written and read, offsets.

Built on confluent-kafka, so that a fault of the service's own client cannot hide itself. All calls
block, for at most `SECONDS`, and raise KafkaException or TimeoutError.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic
from kafka.offset_fetch import PASSING, OffsetsNotToldError, fetch_offsets

SECONDS = 15.0
_PAUSE_SECONDS = 0.05

# What passes by itself: a coordinator or a leader that is about to be there, also after a restart.
_PASSING = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError._TRANSPORT,  # noqa: SLF001  # its name
        KafkaError._TIMED_OUT,  # noqa: SLF001  # its name
    }
)
_ANY = -1  # librdkafka's partitioner chooses

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Describe a record to write; without a *partition*, its key decides."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Describe a record as it was read; *timestamp* is in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Committed:
    """Hold what a group committed for one partition."""

    offset: int
    metadata: str


class Cluster:
    """Work on the Kafka at *address*; *create* makes a topic where CreateTopics is not served."""

    def __init__(self, address: str, *, create: Callable[[str, int], None] | None = None) -> None:
        self.address = address
        self._create = create
        self._admin = AdminClient(self._settings())

    def create_topic(
        self,
        name: str | None = None,
        *,
        partitions: int = 4,
        config: Mapping[str, str] | None = None,
    ) -> "Topic":
        """Create a topic, by default under a name never used before, and wait for its leaders."""
        name = name or f"test-{uuid4().hex}"
        if self._create is None:
            new = NewTopic(name, partitions, replication_factor=1, config=dict(config or {}))
            self._admin.create_topics([new])[name].result(SECONDS)
        elif config:
            raise ValueError("this broker knows no settings of a topic")
        else:
            self._create(name, partitions)
        deadline = time.monotonic() + SECONDS
        while self._leaders(name) < partitions:  # acknowledged is not yet known to all
            if time.monotonic() > deadline:
                raise TimeoutError(f"topic {name} has no leaders")
            time.sleep(0.01)
        return Topic(self, name)

    def configure(self, topic: str, name: str, value: str) -> None:
        """Set a setting of *topic*."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        (changed,) = self._admin.incremental_alter_configs([resource]).values()
        changed.result(SECONDS)

    def topics(self) -> set[str]:
        """Name the topics that exist, but for Kafka's own."""
        names = self._admin.list_topics(timeout=SECONDS).topics
        return {name for name in names if not name.startswith("__")}

    def partitions(self, topic: str) -> list[TopicPartition]:
        """List the partitions of *topic*; there are none when it does not exist."""
        found = self._admin.list_topics(timeout=SECONDS).topics.get(topic)
        return [] if found is None else [TopicPartition(topic, n) for n in sorted(found.partitions)]

    def committed(self, group: str, topic: str) -> dict[int, Committed]:
        """Give what consumer *group* committed, by partition; one without a commit is left out."""
        numbers = [place.partition for place in self.partitions(topic)]
        found = _patiently(partial(fetch_offsets, self.address, group, topic, numbers))
        return {
            partition: Committed(offset, metadata)
            for partition, (offset, metadata) in found.items()
            if offset >= 0
        }

    def produce(
        self, topic: str, messages: Iterable[Message], settings: Mapping[str, str] | None = None
    ) -> list[tuple[int, int]]:
        """Write *messages* in order; give each one's partition and offset once all are stored.

        *settings* go to the producer, such as `compression.type`.
        """
        own = {"enable.idempotence": True, "queue.buffering.max.messages": 1_000_000}
        producer = Producer(self._settings() | own | dict(settings or {}))
        producer.list_topics(topic, timeout=SECONDS)  # else it waits half a second to ask
        places: dict[int, tuple[int, int]] = {}
        errors: list[KafkaError] = []

        def delivered(number: int, error: KafkaError | None, stored: Any) -> None:
            if error is not None:
                errors.append(error)
            else:
                places[number] = (stored.partition(), stored.offset())

        for number, message in enumerate(messages):
            producer.produce(
                topic,
                value=message.value,
                key=message.key,
                partition=_ANY if message.partition is None else message.partition,
                headers=list(message.headers),
                on_delivery=partial(delivered, number),
            )
        unsent = producer.flush(SECONDS)
        if errors:
            raise KafkaException(errors[0])
        if unsent:
            raise TimeoutError(f"{unsent} records were not stored within {SECONDS} s")
        return [places[number] for number in sorted(places)]

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Give the offset that the next record of each partition will have."""
        with self._reader() as consumer:
            return {
                place.partition: _patiently(
                    partial(consumer.get_watermark_offsets, place, timeout=SECONDS)
                )[1]
                for place in self.partitions(topic)
            }

    def read_all(self, topic: str) -> list[Stored]:
        """Read every committed record that *topic* holds now, by partition, in offset order."""
        starts = [
            TopicPartition(topic, place.partition, OFFSET_BEGINNING)
            for place in self.partitions(topic)
        ]
        found: list[Stored] = []
        open_ends = {place.partition for place in starts}
        deadline = time.monotonic() + SECONDS
        with self._reader() as consumer:
            consumer.list_topics(topic, timeout=SECONDS)  # else it waits half a second to ask
            consumer.assign(starts)
            while open_ends:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic} was not read within {SECONDS} s")
                for message in consumer.consume(1000, timeout=0.05):
                    error = message.error()
                    if error is None:
                        found.append(_stored(message))
                    elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # its name
                        open_ends.discard(message.partition())
                    else:
                        raise KafkaException(error)
        return sorted(found, key=lambda stored: (stored.partition, stored.offset))

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        group = {"group.id": f"reader-{uuid4().hex}", "enable.auto.commit": False}
        quick = {"enable.partition.eof": True, "fetch.wait.max.ms": 10}
        consumer = Consumer(self._settings() | group | quick)
        try:
            yield consumer
        finally:
            consumer.close()

    def _leaders(self, topic: str) -> int:
        found = self._admin.list_topics(timeout=SECONDS).topics.get(topic)
        return 0 if found is None else sum(p.leader >= 0 for p in found.partitions.values())

    def _settings(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.address, "log_level": 0}


@dataclass(frozen=True, slots=True)
class Topic:
    """Stand for one topic of a *cluster*; its methods are the cluster's, asked about it."""

    cluster: Cluster
    name: str

    def produce(
        self, messages: Iterable[Message], settings: Mapping[str, str] | None = None
    ) -> list[tuple[int, int]]:
        """Write *messages* in order; give each one's partition and offset once all are stored."""
        return self.cluster.produce(self.name, messages, settings)

    def committed(self, group: str) -> dict[int, Committed]:
        """Give what consumer *group* committed, by partition."""
        return self.cluster.committed(group, self.name)

    def end_offsets(self) -> dict[int, int]:
        """Give the offset that the next record of each partition will have."""
        return self.cluster.end_offsets(self.name)

    def configure(self, name: str, value: str) -> None:
        """Set a setting of the topic."""
        self.cluster.configure(self.name, name, value)

    def read_all(self) -> list[Stored]:
        """Read every committed record that the topic holds now."""
        return self.cluster.read_all(self.name)


def _patiently(ask: Callable[[], Any]) -> Any:
    """Ask, and again while the answer is one that passes by itself."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return ask()
        except (KafkaException, OffsetsNotToldError, OSError) as error:
            if not _is_passing(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def _is_passing(error: Exception) -> bool:
    match error:
        case KafkaException():
            return error.args[0].code() in _PASSING
        case OffsetsNotToldError(code=code):
            return code in PASSING
        case _:
            return True


def _stored(message: Any) -> Stored:
    return Stored(
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(message.headers() or ()),
    )
