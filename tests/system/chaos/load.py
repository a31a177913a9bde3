"""The events of a run of chaos: every kind of sample, and calls that several events tell of."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from kafka.cluster import Message
from system.deployment import digest

from ingestor.devkit.sample_calls import Label, Outcome, body, sample_calls

Origin: TypeAlias = tuple[int, int]

_SEQUENCES = 12
# Of every ten events so many belong to a call of several.
_OF_SEQUENCES = 4
_LARGE_SHARE = 0.01
_SIZES = (1_500, 30_000)
_LARGE_SIZES = (200_000, 900_000)
_SAMPLES = 1_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """What was published, and how it has to end; one of several of its call is known by *digest*,
    the only one of its call (None) by the call_id.
    """

    label: str
    outcome: Outcome
    reason: str | None
    call_id: str | None
    digest: str | None


def events(seed: int) -> Iterator[tuple[Message, Event]]:
    """Make events without end, the same for the same *seed*; no two of them have the same body."""
    dice = Random(seed)
    samples = (
        sample
        for sample in sample_calls(_SAMPLES, seed)
        if sample.label not in (Label.DUPLICATE, Label.FLAKY, Label.SLOW)
    )
    number = 0
    while True:
        number += 1
        if dice.randrange(10) < _OF_SEQUENCES:
            name = f"sequence-{dice.randrange(_SEQUENCES):02}"
            yield _good(name, "sequence", number, dice, is_one_of_several=True)
        elif dice.random() < _LARGE_SHARE:
            yield _good(f"large-{number}", "large", number, dice)
        else:
            sample = next(samples)
            message = Message(value=sample.value, key=sample.key, headers=sample.headers)
            yield (
                message,
                Event(sample.label, sample.outcome, sample.reason, sample.call_id, None),
            )


def _good(
    name: str, label: str, number: int, dice: Random, *, is_one_of_several: bool = False
) -> tuple[Message, Event]:
    size = dice.randint(*(_SIZES if is_one_of_several else _LARGE_SIZES))
    value = body(name, size=size, seed=number)
    known_by = digest(value) if is_one_of_several else None
    message = Message(value=value, key=name.encode())
    return message, Event(label, Outcome.DELIVERED, None, name, known_by)
