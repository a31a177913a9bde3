"""What can be wrong with the settings, as values: a problem says where it is and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: *name* as it was written, *message* what is allowed and what to do.

    The message never quotes a value: any value may be a secret in the wrong place.
    """

    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True)
class Problems:
    """Why there are no settings: every problem at once, and what is merely odd."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
