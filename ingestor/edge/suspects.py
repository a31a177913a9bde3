"""Decides which partitions are polled together, and which one alone because it cannot be read.

An exception out of a poll costs whatever the poll had drained from any partition. The one at fault
is therefore polled alone from then on, for ever fewer records, so that all before the fault is
still handed out. When a single record cannot be read, the partition rests for a while, and is tried
again. The others never notice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition

MOST_RECORDS = 500
REST_SECONDS = 30.0
# How long a partition has to be read alone without a failure before it is read with the others.
CLEARED_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Poll:
    """What to poll: *partitions*, for at most *records*; *is_short* when others wait for theirs."""

    partitions: tuple[TopicPartition, ...]
    records: int = MOST_RECORDS
    is_short: bool = False


@dataclass(slots=True)
class Suspect:
    """A partition that is read alone, at most *records* at a time, *since* when; that may be yet to
    come. *offset* is the record that could not be read, as soon as it is known.
    """

    since: float
    records: int = MOST_RECORDS
    offset: int | None = None


class Suspects:
    """The partitions that are read alone."""

    def __init__(self) -> None:
        self._suspects: dict[TopicPartition, Suspect] = {}
        self._is_their_turn = False

    def choose(self, wanted: Iterable[TopicPartition], now: float) -> Poll:
        """Choose what of *wanted* to poll: in turn all the good ones, and one of the others."""
        wanted = tuple(wanted)
        good = tuple(name for name in wanted if name not in self._suspects)
        due = (name for name, suspect in self._suspects.items() if suspect.since <= now)
        alone = next((name for name in due if name in wanted), None)
        self._is_their_turn = not self._is_their_turn
        if alone is None or (good and not self._is_their_turn):
            return Poll(good, is_short=alone is not None)
        return Poll((alone,), self._suspects[alone].records, is_short=bool(good))

    def passed(self, poll: Poll, now: float) -> None:
        """Note that *poll* went well."""
        for name in poll.partitions:
            suspect = self._suspects.pop(name, None)
            if suspect is not None and now - suspect.since < CLEARED_AFTER:
                self._suspects[name] = suspect  # behind the others, whose turn is next

    def failed(self, name: TopicPartition, offset: int, now: float) -> bool:
        """Note that *name* failed, from *offset* on; whether that is news: the one record that
        cannot be read.
        """
        suspect = self._suspects.setdefault(name, Suspect(now))
        suspect.since = now
        if suspect.records > 1:
            suspect.records //= 2
            return False
        suspect.since += REST_SECONDS
        is_news, suspect.offset = suspect.offset != offset, offset
        return is_news

    def keep(self, names: Iterable[TopicPartition]) -> None:
        """Forget all but *names*."""
        for name in self._suspects.keys() - set(names):
            del self._suspects[name]
