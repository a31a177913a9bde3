"""Calls of which several events come, and whether they were posted in order."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from kafka.cluster import Message
from system.deployment import digest, message

from ingestor.devkit.fake_tuner import Entry
from ingestor.devkit.sample_calls import body

Posted = Mapping[str, Sequence[Entry]]


class Sequences:
    """Makes one event after the other of each call, no two alike: a request is known by the hash of
    its body.
    """

    def __init__(self, count: int) -> None:
        self._names = [f"call-{number:03}" for number in range(count)]
        self._numbers: dict[str, int] = {}
        self.length = 0

    def next_events(self) -> list[Message]:
        """Make the next event of every call."""
        values = {name: body(name, size=1_500, seed=self.length) for name in self._names}
        self._numbers |= {digest(value): self.length for value in values.values()}
        self.length += 1
        return [message(name, value) for name, value in values.items()]

    def number(self, entry: Entry) -> int:
        """Tell which event of its call a request was."""
        return self._numbers[entry.sha256 or ""]

    def of_each(self, entries: Iterable[Entry]) -> Posted:
        """Sort requests by call, in the order of arrival."""
        found: dict[str, list[Entry]] = {name: [] for name in self._names}
        for entry in entries:
            found[entry.call_id or ""].append(entry)
        return found


def is_in_order(numbers: Sequence[int]) -> bool:
    """Whether none was skipped; what comes again comes from an earlier one on."""
    highest = -1
    for number in numbers:
        if number > highest + 1:
            return False
        highest = max(highest, number)
    return True


def overlaps(entries: Sequence[Entry]) -> int:
    """Count the requests that arrived before the one ahead of them was answered."""
    return sum(
        ahead.answered is None or entry.arrived < ahead.answered
        for ahead, entry in pairwise(entries)
    )
