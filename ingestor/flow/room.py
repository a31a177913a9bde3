"""The waiting room: how many records, and bytes of them, may be in work at a time."""

from dataclasses import dataclass

# A room that was full opens again when it has emptied to this part: records are taken in by the
# batch, and enough of them are still there to keep every slot busy meanwhile.
REOPENS_AT = 0.75


@dataclass(frozen=True, slots=True)
class Bounds:
    """The size of the room, in *records* and in *bytes*."""

    records: int
    bytes: int


class Room:
    """Counts what was taken in and is not finished; once full it lets nothing in until it has
    emptied somewhat.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.records = 0
        self.bytes = 0
        self.is_open = True

    def enter(self, size: int) -> None:
        """Take in a record of *size* bytes; the last one may be more than fits."""
        self.records += 1
        self.bytes += size
        if self.records >= self._bounds.records or self.bytes >= self._bounds.bytes:
            self.is_open = False

    def leave(self, size: int) -> None:
        """Let go of a record of *size* bytes."""
        self.records -= 1
        self.bytes -= size
        if not self.is_open:
            records, size = self._bounds.records, self._bounds.bytes
            self.is_open = self.records <= records * REOPENS_AT and self.bytes <= size * REOPENS_AT

    def empty(self) -> None:
        """Let go of everything."""
        self.records = self.bytes = 0
        self.is_open = True
