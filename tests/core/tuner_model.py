"""What a stock FastAPI server in front of Tuner's public models accepts, and what makes it fail.

The models are those of the fake Tuner, which shares no code with the service, in two generations:
as first published with timed segments, and today's. Where the public text leaves a choice, the more
generous one is taken: a test may then say "both refuse", and mean it.
"""

import json
import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ingestor.devkit.fake_tuner.model import MODELS

GENERATIONS = (MODELS["strict-feb"], MODELS["current"])
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_accepted(text: bytes) -> bool:
    """Whether one generation at least takes *text* as the body of a request."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return any(_is_valid(model, parsed) for model in GENERATIONS)


def is_poison(text: bytes) -> bool:
    """Whether *text* holds what makes such a server answer 500, when it refuses or when it stores:
    NaN, an infinity, or a lone surrogate.
    """
    try:
        # What is no number becomes what is no text: one search finds both. How large an integer is
        # does not matter here.
        parsed = json.loads(text, parse_int=len, parse_constant=lambda _: "\ud800")
    except (ValueError, RecursionError):
        return False
    return _SURROGATE.search(json.dumps(parsed, ensure_ascii=False)) is not None


def _is_valid(model: TypeAdapter[Any], parsed: object) -> bool:
    try:
        model.validate_python(parsed)
    except (ValidationError, OverflowError):
        return False
    return True
