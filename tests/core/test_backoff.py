"""How long to wait before the next attempt."""

from builders import NOW
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.backoff import Backoff

ATTEMPTS = st.integers(1, 10**9) | st.integers(1, 100)
SECONDS = st.floats(0, 10**6)


@table(
    "attempt, ceiling",
    {
        "after the first attempt the base": (1, 0.5),
        "then twice as long": (2, 1.0),
        "and so on": (5, 8.0),
        "up to the longest": (8, 60.0),
        "and no longer": (9, 60.0),
        "not after a thousand attempts either": (1_100, 60.0),
    },
)
def test_the_ceiling_doubles_up_to_the_longest(attempt: int, ceiling: float) -> None:
    """Waits grow with each failure, to a limit."""
    assert Backoff(base=0.5, longest=60.0).ceiling(attempt) == ceiling


@given(ATTEMPTS, st.floats(0, 1, exclude_max=True), SECONDS, SECONDS)
def test_a_delay_is_within_its_ceiling(
    attempt: int, roll: float, base: float, longest: float
) -> None:
    """Whatever the attempt and the roll: at least nothing, at most the ceiling."""
    backoff = Backoff(base, longest)

    assert 0 <= backoff.delay(attempt, roll) <= backoff.ceiling(attempt) <= longest


@given(ATTEMPTS, SECONDS, SECONDS)
def test_a_ceiling_never_falls(attempt: int, base: float, longest: float) -> None:
    """A later attempt never waits for less."""
    backoff = Backoff(base, longest)

    assert backoff.ceiling(attempt) <= backoff.ceiling(attempt + 1)


def test_a_delay_is_spread_over_the_whole_ceiling() -> None:
    """Full jitter: the roll decides from nothing to all of it."""
    backoff = Backoff(base=NOW, longest=NOW)

    assert [backoff.delay(1, roll) for roll in (0.0, 0.25, 0.5)] == [0.0, NOW / 4, NOW / 2]
