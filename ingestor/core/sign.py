"""Tells what an answer says of the load of the server that gave it."""

from enum import Enum, auto

from ingestor.core.answer import Answer, Answered, Fault, Unanswered


class Sign(Enum):
    """What an answer says of the server's load: nothing wrong, too much of it, a plain no to the
    rate, or nothing at all.
    """

    FINE = auto()
    STRAINED = auto()
    REFUSED = auto()
    NONE = auto()


def sign(answer: Answer) -> Sign:
    """Read what *answer* says of the load; the time of anything but a stored call says nothing."""
    match answer:
        case Answered(status=(200 | 201 | 409)):
            return Sign.FINE
        case Answered(status=429):
            return Sign.REFUSED
        case Answered(status=408 | 503 | 504) | Unanswered(fault=Fault.TIMEOUT):
            return Sign.STRAINED
        case Answered(status=status) if status // 100 == 2:  # noqa: PLR2004 - a status code is its own name
            return Sign.FINE
        case _:
            return Sign.NONE
