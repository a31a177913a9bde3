"""Tables say what was measured, and what was not."""

import pytest
from bench import tables
from bench.figures import Run


def test_text_is_aligned() -> None:
    """Names to the left, figures to the right."""
    assert tables.text(["a", "bb"], [["ccc", "1"], ["d", "222"]]) == "a     bb\nccc    1\nd    222"


def test_markdown_is_a_table() -> None:
    """With a line below its head."""
    assert tables.markdown(["a", "b"], [["c", "1"]]) == "| a | b |\n|---|---|\n| c | 1 |"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "-"), (12345.6, "12,346"), (99.94, "99.9"), (2.3456, "2.35"), (0.0456, "0.0456")],
)
def test_a_figure_has_three_digits(value: float | None, said: str) -> None:
    """More are noise; a figure that was not measured is a dash, never a zero."""
    assert tables.number(value) == said


def test_a_work_shows_each_peer_and_how_we_stand_to_it() -> None:
    """The ratio is of the best runs; who did not race has no row."""
    runs = [
        Run(work="w", peer="us", rate=10.0, cpu_us=50.0, memory_mib=100.0, connections=64),
        Run(work="w", peer="them", rate=4.0, cpu_us=200.0, memory_mib=90.0, duplicates=3),
        Run(work="w", peer="them", rate=9.0, missing=7),
        Run(work="w", peer="them", rate=5.0, cpu_us=250.0, memory_mib=95.0, p99_ms=7.0),
    ]

    _, rows = tables.work("w", ["us", "them", "absent"], runs, ours="us")

    assert rows == [
        ["us", "10.0", "10.0", "1", "50.0", "1", "100", "64 connections"],
        ["them", "5", "4.5", "2", "200", "0.25", "95.0", "p99 7 ms, 7 missing, 3 twice"],
    ]
