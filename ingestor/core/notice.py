"""What is held and why, as it is told to whoever has to mend it."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What holds: a fault of ours, a server that is out of order, or what keeps letters back."""

    FAULT = "held"
    OUTAGE = "open"
    LETTERS = "letters_held"


@dataclass(frozen=True, slots=True)
class Matter:
    """*what* is held, and of which *kind* that is."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Notice:
    """For which *cause* a *matter* is held and *since* when (in seconds since the epoch), what to
    do about it, and how many records wait for it.
    """

    matter: Matter
    cause: str
    remedy: str
    waiting: int = 0
    since: float = 0.0
