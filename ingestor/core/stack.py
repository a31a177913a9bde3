"""Describes an unexpected error without a word of what it worked on."""

from pathlib import PurePath
from traceback import walk_tb

# A recursion error has a thousand; the last ones tell.
_MOST_FRAMES = 20


def describe(error: BaseException) -> str:
    """Name the type of *error* and where it was raised, not its text: that may quote a value."""
    frames = [
        f"{PurePath(frame.f_code.co_filename).name}:{line}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    name = type(error).__name__
    return f"{name} at {' > '.join(frames[-_MOST_FRAMES:])}" if frames else name
