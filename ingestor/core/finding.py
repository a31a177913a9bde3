"""What a check of the surroundings found; what Tuner's answer to an empty call says of a key."""

from dataclasses import dataclass
from typing import assert_never

from ingestor.core.answer import Answer, Answered, Unanswered

# Posting this creates no call: Tuner checks the key before it looks at the fields, all of which are
# missing.
EMPTY_CALL = b"{}"


@dataclass(frozen=True, slots=True)
class Finding:
    """*what* was looked at, whether it is as it should be, and *how* it is."""

    what: str
    is_good: bool
    how: str


def read_key_probe(what: str, answer: Answer) -> Finding:
    """Say what *answer* to an empty call tells of the key."""
    match answer:
        case Unanswered(fault=fault):
            return Finding(what, is_good=False, how=f"no answer: {fault}")
        case Answered(status=401):
            return Finding(what, is_good=False, how="the key is not accepted (401)")
        case Answered(status=403):
            how = "the key is not accepted, or not for this workspace (403)"
            return Finding(what, is_good=False, how=how)
        case Answered(status=400 | 422 as status):
            return Finding(
                what, is_good=True, how=f"the key is accepted ({status} to an empty call)"
            )
        case Answered(status=404):
            how = "no such agent or workspace, or not Tuner's address (404)"
            return Finding(what, is_good=False, how=how)
        case Answered(status=301 | 302 | 303 | 307 | 308 as status):
            how = f"redirects ({status}), which is never followed: use the address it points to"
            return Finding(what, is_good=False, how=how)
        case Answered(status=status):
            return Finding(
                what, is_good=False, how=f"answers {status} to an empty call: is it Tuner?"
            )
        case unknown:
            assert_never(unknown)
