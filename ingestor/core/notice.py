"""What keeps letters from being written, as it is told to whoever has to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """*what* is held and since how many *seconds*, for which *cause*, what to do about it, and how
    many records wait for it.
    """

    what: str
    cause: str
    advice: str
    seconds: float = 0.0
    waiting: int = 0
