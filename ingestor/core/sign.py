"""Tells what an answer says of the load of the server that gave it."""

from enum import Enum, auto
from typing import Final

from ingestor.core.answer import Answer, Fault, Unanswered


class Sign(Enum):
    """What an answer says of the server's load: nothing wrong, too much of it, a plain no to the
    rate, or nothing at all.
    """

    FINE = auto()
    STRAINED = auto()
    REFUSED = auto()
    NONE = auto()


_SIGNS: Final = {
    **dict.fromkeys((*range(200, 300), 409), Sign.FINE),
    **dict.fromkeys((408, 503, 504), Sign.STRAINED),
    429: Sign.REFUSED,
}


def sign(answer: Answer) -> Sign:
    """Read what *answer* says of the load; the time of anything but a stored call says nothing."""
    if isinstance(answer, Unanswered):
        return Sign.STRAINED if answer.fault is Fault.TIMEOUT else Sign.NONE
    return _SIGNS.get(answer.status, Sign.NONE)
