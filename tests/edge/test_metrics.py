"""What is counted is exposed under names that stay."""

from edge.exposition import samples, value
from prometheus_client.parser import text_string_to_metric_families

from ingestor.core.backlog import Backlog
from ingestor.core.record import Partition
from ingestor.edge.metrics import Metrics, Readings


def readings(number: int) -> Readings:
    """Read *number*, and the ones after it."""
    return Readings(
        slots_in_use=lambda: number,
        slots_limit=lambda: number + 1,
        waiting_records=lambda: number + 2,
        waiting_bytes=lambda: number + 3,
        is_member=lambda: True,
    )


def test_every_metric_is_exposed_with_its_labels() -> None:
    """Dashboards and alerts are built on these names."""
    metrics = Metrics("1.2.3")
    metrics.read(readings(1))
    metrics.records.add("delivered", "")
    metrics.attempts.add("201")
    metrics.state.labels("credential default", "held")
    metrics.backlogs({Partition("t", 0): Backlog(1, 1.0)})

    exposed = {
        (name, frozenset(label for label, _ in labels) - {"le"})
        for name, labels in samples(metrics)
    }
    assert exposed == {
        ("ingestor_records_total", frozenset({"outcome", "reason"})),
        ("ingestor_attempts_total", frozenset({"status"})),
        *(
            (f"ingestor_{timed}_seconds_{part}", frozenset[str]())
            for timed in ("request", "event_age")
            for part in ("bucket", "count", "sum")
        ),
        ("ingestor_lag_records", frozenset({"topic", "partition"})),
        ("ingestor_oldest_unfinished_seconds", frozenset({"topic", "partition"})),
        ("ingestor_slots_in_use", frozenset[str]()),
        ("ingestor_slots_limit", frozenset[str]()),
        ("ingestor_waiting_records", frozenset[str]()),
        ("ingestor_waiting_bytes", frozenset[str]()),
        ("ingestor_group_member", frozenset[str]()),
        ("ingestor_destination_state", frozenset({"destination", "state"})),
        ("ingestor_build_info", frozenset({"version"})),
    }


def test_every_metric_says_what_it_is() -> None:
    """Whoever reads the page has only that."""
    metrics = Metrics("1.2.3")
    metrics.read(readings(1))

    families = list(text_string_to_metric_families(metrics.text().decode()))

    assert all(family.documentation.endswith(".") for family in families)


def test_readings_are_taken_when_somebody_asks() -> None:
    """They move by themselves."""
    metrics, number = Metrics("1"), [10]
    metrics.read(
        Readings(
            slots_in_use=lambda: number[0],
            slots_limit=lambda: 64,
            waiting_records=lambda: 3,
            waiting_bytes=lambda: 4096,
            is_member=lambda: True,
        )
    )
    assert value(metrics, "slots_in_use") == 10

    number[0] = 7

    assert value(metrics, "slots_in_use") == 7
    assert value(metrics, "slots_limit") == 64
    assert value(metrics, "waiting_records") == 3
    assert value(metrics, "waiting_bytes") == 4096


def test_only_our_own_partitions_are_shown() -> None:
    """One that was given up is somebody else's to show: two would add up to twice the lag."""
    metrics = Metrics("1")
    metrics.backlogs({Partition("t", 0): Backlog(5, 1.5), Partition("t", 1): Backlog(0, 0.0)})
    assert value(metrics, "lag_records", topic="t", partition="0") == 5
    assert value(metrics, "oldest_unfinished_seconds", topic="t", partition="0") == 1.5
    assert value(metrics, "lag_records", topic="t", partition="1") == 0

    metrics.backlogs({Partition("t", 1): Backlog(2, 0.5)})

    assert value(metrics, "lag_records", topic="t", partition="0") is None
    assert value(metrics, "oldest_unfinished_seconds", topic="t", partition="0") is None
    assert value(metrics, "lag_records", topic="t", partition="1") == 2


def test_two_services_in_one_process_do_not_share_counts() -> None:
    """Each has a registry of its own."""
    one, other = Metrics("1"), Metrics("2")

    one.attempts.add("201")

    assert value(one, "attempts_total", status="201") == 1
    assert value(other, "attempts_total", status="201") is None
    assert value(other, "build_info", version="2") == 1
