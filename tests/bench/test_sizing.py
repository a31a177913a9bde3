"""What a platform needs follows from its calls, and grows with them."""

import pytest
from bench.sizing import BUSY, Load, cpu_us, memory_mib, plan, rate
from hypothesis import given
from hypothesis import strategies as st

LOADS = st.builds(
    Load,
    calls=st.floats(0.1, 100_000),
    latency=st.floats(0.001, 10),
    body=st.integers(500, 1_000_000),
)


@given(LOADS)
def test_what_is_planned_is_enough(load: Load) -> None:
    """At the peak no process is busier than it may be, and twice the requests under way have
    slots.
    """
    found = plan(load)

    assert load.calls * cpu_us(load.body) / 1e6 <= found.processes * BUSY * 1.0001
    assert found.processes * found.slots >= 2 * load.calls * load.latency
    assert found.partitions >= found.processes >= 2
    assert rate(
        slots=found.slots, latency=load.latency, body=load.body, processes=found.processes
    ) >= load.calls * 1.9999  # fmt: skip


@given(LOADS)
def test_the_room_holds_what_is_under_way(load: Load) -> None:
    """Twice over, each event with what it takes beside its bytes; the memory holds the room."""
    found = plan(load)

    assert found.buffer_mib * 2**20 * 0.75 >= 2 * found.slots * load.body
    assert found.memory_mib >= memory_mib(found.buffer_mib, partitions=1)


def test_whatever_is_less_decides() -> None:
    """Slots while Tuner is slow, the processor when it is quick."""
    assert rate(slots=10, latency=0.1, body=0) == 100
    assert rate(slots=10**6, latency=0.1, body=0) == rate(slots=1, latency=0, body=0)
    assert rate(slots=10, latency=0.1, body=0, processes=3) == 300


def test_memory_is_as_the_readme_has_it() -> None:
    """80 MiB, half as much again as the buffer, and a bit for each partition."""
    assert memory_mib(64, partitions=12) == pytest.approx(80 + 96 + 12 * 1.5)
