"""Finds where a batch ends that cannot be trusted to say it, by asking the broker for offsets
further on: it sends the same bytes for every offset that it takes to be in this batch.
"""

from ingestor.core.batches.batch import Checksum
from ingestor.core.batches.passage import first_at

# Enough to tell one batch from another: the length of its header.
_SAME = 61


class Search:
    """The search behind a batch of which *raw* is known, in which *start* lies, and which ends
    before *end*: in growing steps until something else is sent, then by halves.
    """

    def __init__(self, raw: bytes, start: int, end: int) -> None:
        self._begin = raw[:_SAME]
        self._last = start
        self._bound = self._end = self.next = end
        self._step = 1

    @property
    def probe(self) -> int | None:
        """The offset to ask for; None when `next` is known, the offset behind the batch."""
        if self._bound - self._last <= 1:
            return None
        if self._bound < self._end:
            return (self._last + self._bound) // 2
        return min(self._last + self._step, self._bound - 1)

    def saw(self, probe: int, raw: bytes, checksum: Checksum) -> None:
        """Note what was sent for *probe*; nothing, when it could not be read."""
        if raw and raw.startswith(self._begin):
            self._last = probe
            self._step *= 2
            return
        first = first_at(raw, checksum)
        self._bound = self.next = probe
        if first and first[1]:
            self.next = min(self._end, max(probe, first[0]))
