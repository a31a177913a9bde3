"""The log and what it adds up to."""

from collections import Counter

import pytest

from ingestor.devkit.fake_tuner.log import Log, Summary


def test_a_line_is_there_from_the_arrival_on() -> None:
    """A request shows while it is being served, and gets its end when it is done."""
    log = Log()

    with log.line("POST", "/call", 5) as entry:
        assert log.entries == [entry]
        assert (entry.order, entry.method, entry.path, entry.peer) == (1, "POST", "/call", 5)
        meanwhile = entry.answered

    assert meanwhile is None
    assert entry.answered is not None
    assert entry.answered >= entry.arrived


def test_a_request_that_fails_is_done_as_well() -> None:
    """Whatever ends a request, it is not open any more."""
    log = Log()

    with pytest.raises(RuntimeError), log.line("POST", "/"):
        raise RuntimeError

    assert log.summary(Counter()).open == 0
    assert log.entries[0].answered is not None


def test_a_log_adds_up() -> None:
    """Statuses, faults, duplicates, the peak and the arrivals of every call_id."""
    log = Log()
    with log.line("POST", "/") as first, log.line("POST", "/") as second:
        first.call_id, first.status, first.stored = "a", 201, True
        second.call_id, second.fault = "a", "reset"
    with log.line("POST", "/") as third:
        third.call_id, third.status, third.duplicate = "a", 409, True
    with log.line("GET", "/") as fourth:
        fourth.status = 405

        summary = log.summary(Counter({"a": 2, "b": 1}))

    assert summary == Summary(
        requests=4,
        open=1,
        peak=2,
        statuses={201: 1, 409: 1, 405: 1},
        faults={"reset": 1},
        calls=3,
        call_ids=2,
        duplicates_stored=1,
        duplicates_answered=1,
        arrivals={"a": [1, 2, 3]},
    )


def test_a_cleared_log_begins_anew() -> None:
    """Orders count from 1 again; what is still being served counts for the peak."""
    log = Log()
    with log.line("POST", "/"), log.line("POST", "/"):
        pass
    with log.line("POST", "/"):
        log.clear()
        assert log.summary(Counter()).peak == 1

        with log.line("POST", "/") as entry:
            assert entry.order == 1
            assert log.summary(Counter()).peak == 2
