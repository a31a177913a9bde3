"""Describes an unexpected error without a word of what it worked on."""

from pathlib import PurePath
from traceback import extract_tb


def describe(error: BaseException) -> str:
    """Name the type of *error* and where it was raised, not its text: that may quote a value."""
    frames = [
        f"{PurePath(frame.filename).name}:{frame.lineno}"
        for frame in extract_tb(error.__traceback__)
    ]
    return " at ".join([type(error).__name__, " > ".join(frames)])
