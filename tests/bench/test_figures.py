"""What runs come to is arithmetic, and a missed goal is called missed."""

import pytest
from bench.figures import Figure, Goal, Run, percentile, verdict, weigh

OURS, THEIRS = Figure("w", "us", "rate"), Figure("w", "them", "rate")


def runs(*rates: tuple[str, float | None]) -> list[Run]:
    """Give a run for each peer's rate."""
    return [Run(work="w", peer=peer, rate=rate) for peer, rate in rates]


def test_the_best_of_several_runs_counts() -> None:
    """More calls a second are better; less processor time is."""
    rated = runs(("us", 1.0), ("us", 9.0), ("us", 5.0), ("them", 50.0))
    timed = [Run(work="w", peer="us", cpu_us=value) for value in (30.0, 10.0)]

    assert OURS.best(rated) == 9.0
    assert OURS.median(rated) == 5.0
    assert Figure("w", "us", "cpu_us").best(timed) == 10.0


def test_of_memory_the_worst_counts() -> None:
    """A machine must have what was needed once."""
    sized = [Run(work="w", peer="us", memory_mib=value) for value in (100.0, 140.0)]

    assert Figure("w", "us", "memory_mib").best(sized) == 140.0


def test_the_best_is_compared_with_the_best_and_the_median_with_the_median() -> None:
    """A lucky run of one side is not compared with a usual one of the other."""
    rated = runs(("us", 4.0), ("us", 6.0), ("us", 6.0), ("them", 1.0), ("them", 2.0), ("them", 3.0))

    found = weigh(Goal("g", OURS, THEIRS, least=2.0), rated)

    assert (found.best, found.median) == (2.0, 3.0)
    assert (found.target, found.verdict) == ("≥ 2", "met")


def test_a_run_in_which_calls_are_missing_does_not_count() -> None:
    """Whoever loses calls has not done the work, however quickly."""
    rated = [*runs(("us", 5.0)), Run(work="w", peer="us", rate=9.0, missing=1)]

    assert OURS.best(rated) == 5.0


def test_a_goal_can_be_a_number() -> None:
    """Memory is not compared with anybody's."""
    found = weigh(Goal("g", OURS, 10.0, most=0.5), runs(("us", 4.0)))

    assert (found.best, found.target, found.verdict) == (0.4, "≤ 0.5", "met")


@pytest.mark.parametrize(
    ("least", "most", "reached", "said"),
    [
        (2.0, None, 2.0, "met"),
        (2.0, None, 1.5, "missed by 25.0 %"),
        (2.0, None, 1.9999, "missed by 0.1 %"),
        (None, 0.5, 0.5, "met"),
        (None, 0.5, 0.6, "missed by 20.0 %"),
        (2.0, None, None, "not measured"),
    ],
)
def test_a_goal_is_met_or_missed_by_so_much(
    least: float | None, most: float | None, reached: float | None, said: str
) -> None:
    """A near miss is a miss."""
    assert verdict(Goal("g", OURS, THEIRS, least=least, most=most), reached) == said


@pytest.mark.parametrize(
    "rated", [[], runs(("us", 4.0)), runs(("them", 4.0)), runs(("us", None), ("them", 4.0))]
)
def test_without_both_sides_nothing_is_said(rated: list[Run]) -> None:
    """A peer that could not be built does not lose."""
    assert weigh(Goal("g", OURS, THEIRS, least=2.0), rated).verdict == "not measured"


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_was_there(share: float, value: float) -> None:
    """The nearest rank, whatever the order."""
    assert percentile([float(it) for it in range(100, 0, -1)], share) == value


def test_nothing_has_no_percentile() -> None:
    """Rather no figure than one of chance."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
