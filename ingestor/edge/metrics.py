"""What the service counts, for Prometheus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
)

from ingestor.core.backlog import Backlog
from ingestor.core.record import Partition
from ingestor.edge.counting import Counts, Durations

PARTITION = ("topic", "partition")
STATE = ("destination", "state")
AGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)
DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30)


@dataclass(frozen=True, slots=True)
class Readings:
    """What is read when somebody asks, rather than counted."""

    slots_in_use: Callable[[], int]
    slots_limit: Callable[[], int]
    waiting_records: Callable[[], int]
    waiting_bytes: Callable[[], int]
    is_member: Callable[[], bool]


class Metrics:
    """Every metric of the service, in a registry of its own."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self.records = self._counts(
            "ingestor_records",
            "Finished records by outcome (delivered, duplicate, dead, ignored) and reason.",
            *("outcome", "reason"),
        )
        self.attempts = self._counts(
            "ingestor_attempts",
            "Requests to Tuner by status code, or by fault when there was no answer.",
            "status",
        )
        self.lost = self._counter(
            "ingestor_records_lost",
            "Offsets that retention removed before they were read.",
            *PARTITION,
        )
        self.request_seconds = self._durations(
            "ingestor_request_seconds", "Duration of requests to Tuner.", DURATIONS
        )
        self.event_age_seconds = self._durations(
            "ingestor_event_age_seconds", "From an event's publication to its delivery.", AGES
        )
        self._lag = self._gauge(
            "ingestor_lag_records",
            "Records from the committable offset to the end of the partition.",
            *PARTITION,
        )
        self._oldest = self._gauge(
            "ingestor_oldest_unfinished_seconds",
            "How long the oldest unfinished record of the partition has been in work.",
            *PARTITION,
        )
        self.state = self._gauge(
            "ingestor_destination_state",
            "1 while a destination, or a part of it, is in the state named.",
            *STATE,
        )
        self._gauge("ingestor_build_info", "Always 1.", "version").labels(version).set(1)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self._registry)

    def _counts(self, name: str, help_text: str, *labels: str) -> Counts:
        counts = Counts(name, help_text, *labels)
        self._registry.register(counts)
        return counts

    def _durations(self, name: str, help_text: str, bounds: tuple[float, ...]) -> Durations:
        durations = Durations(name, help_text, bounds)
        self._registry.register(durations)
        return durations

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(name, help_text, labels, registry=self._registry)

    def read(self, readings: Readings) -> None:
        """Name what is read when somebody asks."""
        for name, help_text, function in (
            ("slots_in_use", "Requests under way.", readings.slots_in_use),
            ("slots_limit", "How many requests may be under way.", readings.slots_limit),
            ("waiting_records", "Records taken in and not finished.", readings.waiting_records),
            (
                "waiting_bytes",
                "Bytes of the records taken in and not finished.",
                readings.waiting_bytes,
            ),
            ("group_member", "1 while the group counts us in for certain.", readings.is_member),
        ):
            Gauge(f"ingestor_{name}", help_text, registry=self._registry).set_function(function)

    def backlogs(self, backlogs: Mapping[Partition, Backlog]) -> None:
        """Show how far behind each of our partitions is, and no others."""
        self._lag.clear()
        self._oldest.clear()
        for partition, backlog in backlogs.items():
            labels = (partition.topic, str(partition.number))
            self._lag.labels(*labels).set(backlog.records)
            self._oldest.labels(*labels).set(backlog.oldest_seconds)

    def text(self) -> bytes:
        """Write them in Prometheus' text format."""
        return generate_latest(self._registry)
