"""What the README says of speed and size was measured, and its arithmetic is right."""

import re
from math import ceil

import pytest
from bench import readme, sizing
from bench.readme import blocks, filled, results

README = readme.README.read_text()
SIZING = README.split("\n## Sizing\n")[1].split("\n## ")[0]
EQUATIONS = {line for line in SIZING.splitlines() if " = " in line}
SUMS = sorted(
    match.groups()
    for line in EQUATIONS
    if (match := re.match(r"([\w ]+?) += ([\d.,+*/() ]+) = ([\d.,]+)", line))
)


def number(text: str) -> float:
    """Read a figure as people write it."""
    return float(text.strip(".,").replace(",", ""))


def test_the_measured_tables_are_the_results() -> None:
    """`python -m bench.readme` would change nothing."""
    assert filled(README, blocks(results())) == README


def test_every_table_has_its_place() -> None:
    """None is measured and not shown."""
    shown = re.findall(r"<!-- bench: (\w+) -->", README)

    assert sorted(shown) == sorted(blocks(results()))


def test_a_table_is_put_between_its_comments() -> None:
    """Whatever stood there; the rest stays."""
    text = "a\n<!-- bench: one -->\nold\n<!-- /bench -->\nb\n"

    assert filled(text, {"one": "new"}) == ("a\n<!-- bench: one -->\n\nnew\n\n<!-- /bench -->\nb\n")


@pytest.mark.parametrize(("name", "expression", "result"), SUMS)
def test_the_sums_are_right(name: str, expression: str, result: str) -> None:
    """To the digits that are shown."""
    digits = len(result.rstrip(".,").partition(".")[2])
    value = eval(expression.replace(",", ""), {"__builtins__": {}})  # noqa: S307  # digits and signs only

    assert value == pytest.approx(number(result), abs=0.5 * 10**-digits * 1.001), name


def test_there_are_sums() -> None:
    """Of both platforms: none is left out because it is written in another way."""
    assert len(SUMS) == len(EQUATIONS) == 13


def test_the_rules_are_the_formula() -> None:
    """The constants that stand in the text are those that are computed with."""
    assert f"{sizing.CPU_US:g} µs + {sizing.CPU_US_PER_KB:g} µs for each KB" in SIZING
    assert f"x CPU of an event / {sizing.BUSY:g}" in SIZING
    assert f"Tuner's latency x {sizing.SPARE_SLOTS} / processes" in SIZING
    assert f"at least {sizing.USUAL_BUFFER_MIB} MiB" in SIZING
    assert f"and at least {sizing.USUAL_SLOTS}." in SIZING


def test_the_examples_are_planned_as_the_formula_plans() -> None:
    """The sums of the text lead to the same."""
    small, large = (sizing.plan(load) for load in sizing.EXAMPLES.values())
    said = {name: number(result) for name, _, result in SUMS}

    assert (small.processes, small.slots) == (2, 64)
    assert f"{large.processes} of them" in SIZING
    assert (large.slots, large.partitions) == (ceil(said["slots of each"]), said["partitions"])
    assert small.memory_mib == large.memory_mib == pytest.approx(said["memory"], abs=1)
