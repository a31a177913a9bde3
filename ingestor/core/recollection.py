"""Decides which records were finished in an earlier assignment, by the memo that it left."""

from collections import deque
from collections.abc import Iterator

from ingestor.core.memo import Memo, Stretch


class Recollection:
    """What a memo says of the records that are still to come.

    Records are read in the order of their offsets. A stretch is believed from its first record on,
    when that one has the timestamp of the witness. When it has another, or when a later record
    comes first, nobody vouches for the stretch: its records are records like any other.
    """

    __slots__ = ("_is_believed", "_stretches")

    def __init__(self, memo: Memo | None = None) -> None:
        self._stretches = deque(memo.stretches if memo else ())
        self._is_believed = False

    @property
    def current(self) -> Stretch | None:
        """The believed stretch whose end was not reached yet."""
        return self._stretches[0] if self._is_believed else None

    def to_come(self) -> Iterator[Stretch]:
        """List the stretches whose begin was not reached yet."""
        stretches = iter(self._stretches)
        if self._is_believed:
            next(stretches)
        return stretches

    def is_finished(self, offset: int, timestamp: int, after: int) -> bool:
        """Tell whether the next record that is read was finished before: the one at *offset*; all
        of it, when it stands for every offset up to, not including, *after*.
        """
        stretches = self._stretches
        while stretches and stretches[0].end <= offset:
            self._is_believed = False
            stretches.popleft()
        if not stretches or after <= stretches[0].begin:
            return False
        first = stretches[0]
        is_witness = offset == first.begin and timestamp == first.timestamp
        is_known = self._is_believed or is_witness
        self._is_believed = is_known and after < first.end
        while stretches and stretches[0].begin < after and not self._is_believed:
            stretches.popleft()
        return is_known and after <= first.end
