"""Plans a soak: chaos for a long time, in which some services are never killed, so that what they
hold can be watched.
"""

from collections.abc import Iterator
from random import Random

from system.chaos.plan import (
    AT_ONCE,
    DRAIN_SECONDS,
    LONGER_THAN_A_SESSION,
    OUTAGES,
    Answer,
    Crash,
    Deed,
    Disturb,
    Freeze,
    How,
    Kill,
    Plan,
    Start,
    Step,
    Stop,
    now_and_then,
)

# These live from begin to end; in the slot behind them services come and go.
WATCHED = 2
PARTITIONS = 12
ROUND_SECONDS = 60.0
# The first samples show a service at its usual work, and the last ones too.
QUIET_SECONDS = 15.0
_SHORT = (0.3, 4.0)
_LONG_EACH, _CRASH_EACH = 3, 4


def soak_plan(seed: int, *, minutes: float, rate: int) -> Plan:
    """Draw a plan of so many *minutes*, at least one, with *rate* events a second."""
    dice = Random(seed)
    seconds = minutes * 60
    steps = [Step(0.0, Start(slot)) for slot in range(WATCHED)]
    steps += _visitors(seconds - QUIET_SECONDS, dice)
    for number in range(int(seconds // ROUND_SECONDS)):
        steps += _round(number, dice)
    steps.sort(key=lambda step: step.at)
    return Plan(
        seed=seed,
        partitions=PARTITIONS,
        slots=WATCHED + 1,
        is_static=False,
        faults=now_and_then(dice),
        steps=steps,
        seconds=seconds,
        rate=rate,
    )


def _visitors(end: float, dice: Random) -> Iterator[Step]:
    """Draw services that come, stay a while, and are killed or leave."""
    now = QUIET_SECONDS
    yield Step(now, Start(WATCHED))
    while (now := now + dice.uniform(10.0, 30.0)) < end - DRAIN_SECONDS:
        away = dice.uniform(1.0, 8.0)
        yield Step(now, dice.choice((Kill, Stop))(WATCHED, away))
        now += away + DRAIN_SECONDS


def _round(number: int, dice: Random) -> Iterator[Step]:
    """Draw what happens in one minute, all of it over before the last seconds of it."""
    deeds: list[Deed] = [
        *(Answer(dice.choice(OUTAGES), dice.uniform(*_SHORT)) for _ in range(3)),
        *(_disturbance(dice) for _ in range(2)),
        Freeze(dice.randrange(WATCHED), dice.uniform(*_SHORT)),
    ]
    if number % _LONG_EACH == 1:
        long = dice.uniform(*LONGER_THAN_A_SESSION)
        slot = dice.randrange(WATCHED)
        deeds.append(dice.choice((Freeze(slot, long), Disturb("kafka", slot, How.STALL, long))))
    if number % _CRASH_EACH == 1:
        deeds.append(Crash(dice.uniform(0.0, 5.0)))
    begin = number * ROUND_SECONDS
    for deed in deeds:
        yield Step(begin + dice.uniform(QUIET_SECONDS, ROUND_SECONDS / 2), deed)


def _disturbance(dice: Random) -> Disturb:
    how = dice.choice(tuple(How))
    seconds = 0.0 if how in AT_ONCE else dice.uniform(*_SHORT)
    slot = dice.choice((None, dice.randrange(WATCHED + 1)))
    return Disturb(dice.choice(("kafka", "tuner")), slot, how, seconds)
