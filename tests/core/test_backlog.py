"""How far behind a partition is."""

from ingestor.core.backlog import Backlog


def test_a_backlog_is_a_value() -> None:
    """Two measurements that found the same are equal."""
    assert Backlog(records=3, oldest_seconds=1.5) == Backlog(3, 1.5)
    assert Backlog(3, 1.5) != Backlog(3, 2.5)
