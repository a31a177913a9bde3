"""Puts the sample calls on the topic, and reads the dead letters back."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from ingestor.devkit.demo.service import DemoFailedError
from ingestor.devkit.sample_calls import SampleEvent

TOPIC = "call-ended"
LETTERS = "tuner-ingestor.dead-letters"
PARTITIONS = 6
ANSWER_SECONDS = 10.0
# That the broker goes away at the end is no news.
QUIET = {"log_level": 2}

Origin = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Published:
    """A sample event, and the partition and offset it got."""

    event: SampleEvent
    origin: Origin


class Publisher:
    """Publishes events one by one; what the broker said of them is told at the end."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 2} | QUIET)
        self.published: list[Published] = []

    def publish(self, event: SampleEvent) -> None:
        """Hand *event* over."""

        def on_delivery(error: Any, message: Any) -> None:
            if error is None:
                self.published.append(Published(event, (message.partition(), message.offset())))

        self._producer.produce(
            TOPIC, event.value, event.key, headers=list(event.headers), on_delivery=on_delivery
        )
        self._producer.poll(0)

    def finish(self, count: int) -> Sequence[Published]:
        """Wait until all *count* events were acknowledged."""
        self._producer.flush(ANSWER_SECONDS)
        if len(self.published) != count:
            raise DemoFailedError(f"the broker took {len(self.published)} of {count} events")
        return self.published


def read_letters(bootstrap_servers: str, within: float = ANSWER_SECONDS) -> Mapping[Origin, str]:
    """Read every dead letter: where its event stood, and the reason.

    DemoFailedError when they cannot all be read *within* so many seconds.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "demo"} | QUIET)
    try:
        return dict(_letters(consumer, within))
    finally:
        consumer.close()


def _letters(consumer: Any, within: float) -> Iterator[tuple[Origin, str]]:
    partitions = consumer.list_topics(LETTERS, ANSWER_SECONDS).topics[LETTERS].partitions
    names = [TopicPartition(LETTERS, number, 0) for number in partitions]
    ends = [consumer.get_watermark_offsets(name, ANSWER_SECONDS)[1] for name in names]
    consumer.assign(names)
    missing = sum(ends)
    deadline = time.monotonic() + within
    while missing and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            missing -= 1
            yield _letter(dict(message.headers()))
    if missing:
        raise DemoFailedError(f"{missing} dead letters could not be read")


def _letter(headers: Mapping[str, bytes]) -> tuple[Origin, str]:
    origin = (int(headers["ingestor-partition"]), int(headers["ingestor-offset"]))
    return origin, headers["ingestor-reason"].decode()
