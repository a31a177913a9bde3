"""Fills topics with call-ended events: sixty-four different bodies, each call with an id of its
own.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count, islice

from confluent_kafka import Producer
from kafka.cluster import Cluster

from ingestor.devkit.sample_calls import body

_BODIES = 64
_ID = b"call-00000000"
_FLUSH_SECONDS = 120.0
_PAUSE_SECONDS = 0.0005
_SETTINGS: dict[str, str | int] = {
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 1_000_000,
    "message.max.bytes": 10_485_760,
    "log_level": 0,
}


def filled(cluster: Cluster, events: int, *, size: int, partitions: int) -> str:
    """Make a topic with *events* of about *size* bytes spread evenly over it; give its name."""
    name = empty(cluster, partitions)
    producer = Producer(_SETTINGS | {"bootstrap.servers": cluster.address})
    for number, value in enumerate(islice(values(size), events)):
        _produce(producer, name, number, value, partitions)
        producer.poll(0)
    _flush(producer)
    return name


def empty(cluster: Cluster, partitions: int) -> str:
    """Make a topic for large events; give its name."""
    settings = {"max.message.bytes": "10485760"}
    return cluster.create_topic(partitions=partitions, config=settings).name


def publish(
    cluster: Cluster, topic: str, events: int, *, size: int, partitions: int, rate: int
) -> None:
    """Publish *events* one by one, *rate* a second, each with the time at which it was sent: all
    but those of the first second, in which producer and broker get going.
    """
    producer = Producer(_SETTINGS | {"bootstrap.servers": cluster.address, "linger.ms": 0})
    producer.list_topics(topic, timeout=10)
    pace = _paced(rate, time.monotonic)
    for number, value in enumerate(islice(values(size, prefix=b"late-"), events)):
        next(pace)
        sent = b'{"sent_ns":%d,' % time.time_ns() if number >= rate else b"{"
        _produce(producer, topic, number, sent + value[1:], partitions)
        producer.poll(0)
    _flush(producer)


def values(size: int, *, prefix: bytes = b"call-") -> Iterator[bytes]:
    """Make bodies without end, each with a `call_id` that no other has."""
    made = [body(f"{_ID.decode()}", size=size, seed=seed) for seed in range(_BODIES)]
    for number in count():
        yield made[number % _BODIES].replace(_ID, prefix + b"%08d" % number)


def _paced(rate: int, clock: Callable[[], float]) -> Iterator[None]:
    began = clock()
    for number in count():
        while (clock() - began) * rate < number:
            time.sleep(_PAUSE_SECONDS)
        yield


def _produce(producer: Producer, topic: str, number: int, value: bytes, partitions: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key=b"%d" % number, partition=number % partitions)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def _flush(producer: Producer) -> None:
    if left := producer.flush(_FLUSH_SECONDS):
        raise TimeoutError(f"{left} events were not stored within {_FLUSH_SECONDS} s")
