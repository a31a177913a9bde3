"""What is wrong with an event, and where: a path and a rule, never a value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

Step = str | int

# One event can break a rule in each of its rows, at places as deep as it likes; the letter that
# tells of it has to fit into a record's headers.
MOST = 20
_MOST_STEPS = 16

# A key of a free-form object can itself be private (a phone number, a name): only what looks like a
# field's name is shown.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that does not hold at *place*."""

    place: str
    rule: str

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}" if self.place else self.rule


def place(steps: Iterable[Step]) -> str:
    """Write a path as it is read: `transcript_with_tool_calls[3].end_ms`. A long one is
    cut.
    """
    written = ""
    for number, step in enumerate(steps):
        if number == _MOST_STEPS:
            return written + "..."
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            written += ("." if written else "") + (step if _NAME.fullmatch(step) else "(key)")
    return written


def first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Keep the first `MOST` of *problems*; the others are not looked for."""
    return tuple(islice(problems, MOST))


def sentence(problems: Iterable[Problem], limit: int = 5) -> str:
    """Join *problems* into one message, the first *limit* of them in full."""
    listed = [str(problem) for problem in problems]
    more = len(listed) - limit
    if more <= 0:
        return "; ".join(listed)
    count = f"at least {more}" if len(listed) >= MOST else str(more)
    return "; ".join([*listed[:limit], f"and {count} more"])
