"""Decides where a partition is read from when it becomes ours."""

from dataclasses import dataclass
from enum import StrEnum

from ingestor.core.memo import Memo, read


class Reset(StrEnum):
    """Where a group begins that has never committed."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets that a partition holds: from *begin* up to, not including, *end*."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read from, and what beyond it is finished already.

    *is_new* when it is not what the group committed: it is committed before the first call is
    posted, else a restart would decide anew. *lost* counts the records that were removed before
    they were read.
    """

    offset: int
    memo: Memo | None = None
    is_new: bool = False
    lost: int = 0


def start(committed: int | None, bounds: Bounds, reset: Reset, metadata: str = "") -> Start:
    """Decide where to begin, by the *committed* offset and the *metadata* that came with it.

    A committed offset below the begin was overtaken by retention. One above the end belongs to a
    topic that was deleted and made again, or to a log that was cut: everything there is read, since
    nothing says what of it was posted; once the log has grown, that offset would seem to.
    """
    if committed is None:
        return Start(bounds.begin if reset is Reset.EARLIEST else bounds.end, is_new=True)
    if committed > bounds.end:
        return Start(bounds.begin, is_new=True)
    memo = read(metadata, committed)
    if committed < bounds.begin:
        return Start(bounds.begin, memo, lost=bounds.begin - committed)
    return Start(committed, memo)


def reset_of(reset: Reset, *, is_first: bool, is_known: bool) -> Reset:
    """Decide where a partition begins of which nothing is committed; *is_first* when nothing was
    ours before, *is_known* when the group has read of the topic already.

    `latest` is about the records that a new group finds when it comes. A partition that a topic
    gains later, or all of a topic that was made again, has none that are older than the group: it
    is read from its begin, however late it is discovered.
    """
    return reset if is_first and not is_known else Reset.EARLIEST
