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


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as it was read: *timestamp* in milliseconds since the epoch, *value* None for a
    tombstone.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()

    @property
    def origin(self) -> Partition:
        """The partition it came from."""
        return Partition(self.topic, self.partition)

    @property
    def size(self) -> int:
        """The bytes it holds in memory."""
        size = len(self.value or b"") + len(self.key or b"")
        for name, value in self.headers:
            size += len(name) + len(value or b"")
        return size
