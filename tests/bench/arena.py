"""Gives races their ground: a real Kafka, and topics that several works share."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import heat, topics
from bench.works import Work
from brokers import RealKafka
from kafka.cluster import Cluster
from kafka.jars import fetch

# Members that start together join together; a cluster has three seconds for it.
_PROPERTIES = {"group.initial.rebalance.delay.ms": "1000"}


class Arena:
    """A *cluster*, and the topics that were made on it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._made: dict[tuple[int, int, int], str] = {}

    def topic(self, work: Work) -> str:
        """Give the topic of *work*: one for all that need the same, but a trickle has its own."""
        size, partitions = work.size, work.partitions
        if work.trickle:
            return topics.filled(self.cluster, heat.FEW, size=size, partitions=partitions)
        key = (work.events, size, partitions)
        if key not in self._made:
            self._made[key] = topics.filled(
                self.cluster, work.events, size=size, partitions=partitions
            )
        return self._made[key]


@contextmanager
def opened() -> Iterator[Arena]:
    """Run a real Kafka beside the block. NoKafkaError without Java and Maven."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RealKafka(Path(folder), fetch(os.environ), properties=_PROPERTIES) as broker,
    ):
        yield Arena(Cluster(broker.address))
