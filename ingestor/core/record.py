"""What Kafka hands over."""

from typing import NamedTuple

import msgspec


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


Header = tuple[str, bytes | None]


class Damage(msgspec.Struct, frozen=True, gc=False):
    """Why nothing can be read up to offset *last*."""

    last: int
    cause: str


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as it was read from *origin*: *timestamp* in milliseconds since the epoch (-1 when
    unknown), *value* None for a tombstone.

    With *damage* it stands for all offsets up to the last one that cannot be read, and *value* is
    what was found in their place.
    """

    origin: Partition
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    damage: Damage | None = None

    @property
    def topic(self) -> str:
        """The topic it came from."""
        return self.origin.topic

    @property
    def partition(self) -> int:
        """The number of the partition it came from."""
        return self.origin.number

    @property
    def next(self) -> int:
        """The offset behind all that it stands for."""
        return (self.offset if self.damage is None else self.damage.last) + 1

    @property
    def size(self) -> int:
        """The bytes it holds in memory."""
        size = len(self.value or b"") + len(self.key or b"")
        for name, value in self.headers:
            size += len(name) + len(value or b"")
        return size
