"""Computes what a platform needs: from its calls, Tuner's latency and the size of events to slots,
processes, partitions and memory.

The README's section *Sizing* explains it; its examples and its check against measured runs are
computed here.
"""

from dataclasses import dataclass
from math import ceil

# What one event costs of a processor, in microseconds: more than was measured, since a machine that
# is shared, or slower, takes longer.
CPU_US, CPU_US_PER_KB = 100.0, 5.0
# How busy a process may be at the peak: the rest is for catching up.
BUSY = 0.5
# How many slots there are for each request that is under way at the peak.
SPARE_SLOTS = 2
FEWEST_PROCESSES = 2  # one may be restarted, or lost
PARTITIONS_PER_PROCESS = 3  # so that there may be three times as many processes
USUAL_SLOTS, USUAL_BUFFER_MIB = 64, 64
_MIB = 2**20
_BATCH_MIB = 1.0
_OVERHEAD = 4_096
_ROOM = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """*calls* a second at the peak, how long Tuner takes for one (*latency*, in seconds), and how
    large an event is (*body*, in bytes).
    """

    calls: float
    latency: float
    body: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How many *processes*, with how many *slots* and how much memory for events each, on how many
    *partitions*; *memory_mib* is the most that one process needs.
    """

    processes: int
    slots: int
    partitions: int
    buffer_mib: int
    memory_mib: int


def plan(load: Load) -> Plan:
    """Compute what *load* needs."""
    busy = load.calls * cpu_us(load.body) / 1e6
    processes = max(FEWEST_PROCESSES, ceil(busy / BUSY))
    slots = max(USUAL_SLOTS, ceil(load.calls * load.latency * SPARE_SLOTS / processes))
    buffer_mib = max(
        USUAL_BUFFER_MIB, ceil(SPARE_SLOTS * slots * (load.body + _OVERHEAD) / _ROOM / _MIB)
    )
    partitions = PARTITIONS_PER_PROCESS * processes
    memory = memory_mib(buffer_mib, partitions=PARTITIONS_PER_PROCESS)
    return Plan(processes, slots, partitions, buffer_mib, ceil(memory))


def cpu_us(body: int) -> float:
    """Give the processor time that an event of *body* bytes takes, in microseconds."""
    return CPU_US + CPU_US_PER_KB * body / 1000


def rate(*, slots: int, latency: float, body: int, processes: int = 1) -> float:
    """Give the calls a second that so many processes deliver, of which each has *slots* and a
    processor of its own: whatever is less, of what the slots allow and what the processor does.
    """
    by_processor = 1e6 / cpu_us(body)
    return processes * (min(slots / latency, by_processor) if latency else by_processor)


def memory_mib(buffer_mib: float, *, partitions: int, batch_mib: float = _BATCH_MIB) -> float:
    """Give what a process with so many *partitions* needs at most, as the README has it."""
    return 80 + 1.5 * buffer_mib + partitions * (buffer_mib / 128 + batch_mib)


_DAY_SECONDS = 86_400
EXAMPLES = {
    "50,000 calls a day": Load(calls=50_000 / _DAY_SECONDS * 10, latency=0.3, body=8_000),
    "1,000,000,000 calls a day": Load(calls=1e9 / _DAY_SECONDS * 3, latency=0.15, body=20_000),
}
