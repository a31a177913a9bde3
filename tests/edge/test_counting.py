"""What is counted plainly is shown as Prometheus' own client shows it."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.registry import Collector

from ingestor.edge.counting import Counts, Durations

BOUNDS = (0.005, 0.1, 1, 30)


def shown(collector: Collector) -> list[str]:
    """Write what is exposed, but for the times of creation."""
    registry = CollectorRegistry()
    registry.register(collector)
    return [it for it in generate_latest(registry).decode().splitlines() if "_created" not in it]


@given(st.lists(st.sampled_from(BOUNDS) | st.floats(0, 100)))
def test_durations_are_those_of_a_histogram(seconds: list[float]) -> None:
    """Also on a bound, and beyond the last one."""
    ours = Durations("took_seconds", "How long it took.", BOUNDS)
    theirs = Histogram("took_seconds", "How long it took.", registry=None, buckets=BOUNDS)

    for duration in seconds:
        ours.add(duration)
        theirs.observe(duration)

    assert shown(ours) == shown(theirs)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", 'x"\\', "y\n"]))))
def test_counts_are_those_of_a_counter(happened: list[tuple[str, str]]) -> None:
    """With every combination of labels that was seen, whatever stands in them."""
    ours = Counts("records", "How many.", "outcome", "reason")
    theirs = Counter("records", "How many.", ("outcome", "reason"), registry=None)

    for outcome, reason in happened:
        ours.add(outcome, reason)
        theirs.labels(outcome, reason).inc()

    assert shown(ours) == shown(theirs)


def test_a_count_can_be_shown_before_it_begins() -> None:
    """A rate needs the zero it starts from."""
    counts = Counts("records", "How many.", "outcome")

    counts.begin("delivered")

    assert shown(counts)[-1] == 'records_total{outcome="delivered"} 0.0'
