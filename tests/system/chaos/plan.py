"""Plans what goes wrong in one run of chaos: everything follows from the seed.

Deeds on processes never overlap for one slot; all others overlap as they like. Every deed has an
end, and all have ended `SECONDS` after the begin: then the world is well again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final, Literal, TypeAlias

from ingestor.devkit.fake_tuner import (
    Delay,
    Dice,
    Drip,
    Fault,
    Redirect,
    Reply,
    Reset,
    Rule,
    Serve,
    Truncate,
)

SECONDS = 20.0
RATE = 60
MOST_SLOTS = 4
# The group gives a silent member ten seconds.
LONGER_THAN_A_SESSION = (11.5, 13.0)
TUNER_SECONDS = 3.0
DRAIN_SECONDS = 4.0
_FIRST = 3.0
_LEAST_AWAY = 0.3


@dataclass(frozen=True, slots=True)
class Start:
    """Start a service in *slot*."""

    slot: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End it at once (SIGKILL), and start another after *away* seconds."""

    slot: int
    away: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Have it leave (SIGTERM), and start another *away* seconds after it has left."""

    slot: int
    away: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """Let it stand still (SIGSTOP) for *seconds*."""

    slot: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crash:
    """End the broker at once (SIGKILL), and start it again after *seconds*."""

    seconds: float


class How(StrEnum):
    """Name what a proxy does to connections."""

    CUT = "cut"
    REFUSE = "refuse"
    STALL = "stall"
    NO_ANSWERS = "no answers"
    FORGET = "forget"
    ORPHAN = "orphan"
    DRIP = "drip"


AT_ONCE: Final = frozenset({How.CUT, How.ORPHAN})


@dataclass(frozen=True, slots=True)
class Disturb:
    """Do it on the way to *where*, for the service in *slot* or for all, for *seconds*."""

    where: Literal["kafka", "tuner"]
    slot: int | None
    how: How
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Have Tuner do *fault* to every request for *seconds*."""

    fault: Fault
    seconds: float


Deed: TypeAlias = Start | Kill | Stop | Freeze | Crash | Disturb | Answer


@dataclass(frozen=True, slots=True)
class Step:
    """Do *deed*, *at* so many seconds after the begin."""

    at: float
    deed: Deed


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in the run of *seed*: *steps* by time, and the *faults* of all the time.

    *is_static* when the services have names of their own in the group. For *seconds*, *rate* events
    are published each second.
    """

    seed: int
    partitions: int
    slots: int
    is_static: bool
    faults: Sequence[Rule]
    steps: Sequence[Step]
    seconds: float = SECONDS
    rate: int = RATE


OUTAGES: Final[Sequence[Fault]] = (
    Reply(401),
    Reply(401),
    Reply(403),
    Reply(429, retry_after=1),
    Reply(429, retry_after_date=1.0),
    Reply(429),
    Reply(500, body="text"),
    Reply(502, body="html"),
    Reply(503, retry_after=1),
    Reply(503, after_commit=True),
    Reply(504, body="empty"),
    Reply(408),
    Reply(425),
    Reply(501),
    Reply(505),
    Reply(402),
    Reply(405, body="html"),
    Reply(404, body="html"),
    Reply(200, body="html"),
    Reply(409, body="html"),
    Redirect("http://127.0.0.1:1/elsewhere"),
    Reset(),
    Reset(after_commit=True),
    Delay(TUNER_SECONDS + 2),
    Delay(TUNER_SECONDS + 2, after_commit=True),
    Delay(1.0, answer=Reply(503)),
    Truncate(),
    Truncate(answer=Reply(503)),
    Drip(1.0),
    Drip(TUNER_SECONDS + 2),
)

# What happens now and then to any request, also in good times.
_NOW_AND_THEN: Final[Sequence[tuple[float, Fault]]] = (
    (0.02, Reset(after_commit=True)),
    (0.02, Reply(503)),
    (0.01, Reply(500, body="html", after_commit=True)),
    (0.01, Truncate()),
    (0.005, Drip(TUNER_SECONDS + 1)),
    (0.01, Drip(0.5)),
    (0.005, Delay(TUNER_SECONDS + 1, after_commit=True)),
    (0.03, Delay(1.5, answer=Serve())),
)


def plan(seed: int) -> Plan:
    """Draw the plan of *seed*."""
    dice = Random(seed)
    slots = dice.randint(2, MOST_SLOTS)
    faults = now_and_then(dice)
    steps = [
        *(step for slot in range(slots) for step in _process(slot, dice)),
        *_broker(dice),
        *(_disturbance(slots, dice) for _ in range(dice.randint(3, 6))),
        *(_outage(dice) for _ in range(dice.randint(2, 5))),
    ]
    return Plan(
        seed,
        partitions=dice.randint(6, 12),
        slots=slots,
        is_static=dice.random() < 0.25,
        faults=faults,
        steps=sorted(steps, key=lambda step: step.at),
    )


def now_and_then(dice: Random) -> tuple[Rule, ...]:
    """Draw which requests meet a fault in good times."""
    return tuple(
        Dice(share=share, fault=fault, seed=dice.getrandbits(32)) for share, fault in _NOW_AND_THEN
    )


def _process(slot: int, dice: Random) -> Iterator[Step]:
    """Draw the life of a slot: one deed after the other."""
    begin = 0.0 if slot < 2 else dice.uniform(0.0, 8.0)
    yield Step(begin, Start(slot))
    now = begin + _FIRST + dice.expovariate(1 / 4)
    while now < SECONDS - 2:
        kind = dice.choice((Kill, Kill, Stop, Stop, Freeze))
        if kind is Freeze:
            length = _length(now, dice)
            yield Step(now, Freeze(slot, length))
            now += length
        else:
            away = dice.uniform(_LEAST_AWAY, 4.0)
            yield Step(now, kind(slot, away))
            # A drain takes its time, and so does the start of the next.
            now += away + (DRAIN_SECONDS + 6 if kind is Stop else 0)
        now += 1.5 + dice.expovariate(1 / 6)


def _broker(dice: Random) -> Iterator[Step]:
    if dice.random() < 0.45:
        yield Step(dice.uniform(_FIRST, 13.0), Crash(dice.uniform(0.0, 3.0)))


def _disturbance(slots: int, dice: Random) -> Step:
    where: Literal["kafka", "tuner"] = dice.choice(("kafka", "kafka", "tuner"))
    how = dice.choice(tuple(How))
    now = dice.uniform(_FIRST - 1, SECONDS - 3)
    slot = dice.choice((None, dice.randrange(slots)))
    length = 0.0 if how in AT_ONCE else _length(now, dice)
    return Step(now, Disturb(where, slot, how, length))


def _length(now: float, dice: Random) -> float:
    """Draw a length: sometimes longer than a session, and over when all is to be over."""
    if now + LONGER_THAN_A_SESSION[1] < SECONDS and dice.random() < 0.4:
        return dice.uniform(*LONGER_THAN_A_SESSION)
    return min(dice.uniform(0.3, 4.0), SECONDS - now)


def _outage(dice: Random) -> Step:
    now = dice.uniform(_FIRST - 1, SECONDS - 3)
    return Step(now, Answer(dice.choice(OUTAGES), dice.uniform(0.3, 3.0)))
