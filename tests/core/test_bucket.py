"""The ceiling of requests a second holds over every span of time."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.bucket import DEPTH_SECONDS, Bucket


def test_without_a_rate_nobody_waits() -> None:
    """The default is no ceiling."""
    bucket = Bucket(None)

    for _ in range(10_000):
        assert bucket.wait(5.0) == 0.0
        bucket.take()


def test_a_slow_rate_is_one_request_after_the_other() -> None:
    """Below ten a second nothing is saved up."""
    bucket = Bucket(0.5)
    assert bucket.wait(100.0) == 0.0
    bucket.take()

    assert bucket.wait(100.0) == 2.0
    assert bucket.wait(101.5) == 0.5
    assert bucket.wait(102.0) == 0.0


def test_an_idle_while_is_not_saved_up() -> None:
    """An hour of silence gives no right to an hour's requests."""
    bucket = Bucket(100.0)
    bucket.wait(0.0)

    burst = 0
    while not bucket.wait(3_600.0):
        bucket.take()
        burst += 1

    assert burst == 10


def test_a_request_that_did_not_begin_costs_nothing() -> None:
    """The next one may go at once."""
    bucket = Bucket(1.0)
    bucket.wait(0.0)
    bucket.take()

    bucket.give_back()

    assert bucket.wait(0.0) == 0.0


def test_what_is_given_back_is_no_more_than_was_there() -> None:
    """Giving back makes no burst."""
    bucket = Bucket(1.0)

    bucket.give_back()
    bucket.wait(0.0)
    bucket.take()

    assert bucket.wait(0.0) == 1.0


@given(rate=st.floats(0.001, 10_000), pauses=st.lists(st.floats(0.0, 5.0), max_size=60))
def test_no_span_of_time_has_more_than_its_share(rate: float, pauses: list[float]) -> None:
    """Between any two requests lie the seconds of those in between, but for what the bucket
    holds; and who waits as long as told need not wait again.
    """
    bucket, now, begun = Bucket(rate), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if wait := bucket.wait(now):
            now += wait
            assert bucket.wait(now) == 0.0
        bucket.take()
        begun.append(now)

    depth = max(1.0, rate * DEPTH_SECONDS)
    for first, start in enumerate(begun):
        for last in range(first, len(begun)):
            most = depth + (begun[last] - start) * rate
            assert last - first + 1 <= most * (1 + 1e-6) + 1e-6
