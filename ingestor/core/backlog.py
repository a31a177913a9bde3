"""How far behind a partition is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """The *records* from the committable offset to the end, and how long the oldest one has been in
    work, in seconds.
    """

    records: int
    oldest_seconds: float
