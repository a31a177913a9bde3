"""Describes an unexpected error."""

import re

import pytest

from ingestor.core.stack import describe

SECRET = "+15550100"  # noqa: S105 - a phone number, and the text that must not show


def _fail(depth: int) -> None:
    if depth == 0:
        raise ValueError(SECRET)
    _fail(depth - 1)


def test_an_error_is_named_with_its_places() -> None:
    """The type and the lines, from the outermost to where it was raised."""
    with pytest.raises(ValueError, match=re.escape(SECRET)) as caught:
        _fail(1)

    places = r"test_stack\.py:\d+ > test_stack\.py:\d+ > test_stack\.py:\d+"
    assert re.fullmatch(f"ValueError at {places}", describe(caught.value))


def test_what_an_error_says_is_not_told() -> None:
    """Its text may quote the value that it stumbled over."""
    with pytest.raises(ValueError, match=re.escape(SECRET)) as caught:
        _fail(1)

    assert SECRET not in describe(caught.value)


def test_an_error_that_was_never_raised_has_no_place() -> None:
    """Its type is all there is to say."""
    assert describe(KeyError(SECRET)) == "KeyError"


def test_of_a_long_way_only_the_last_places_are_told() -> None:
    """The description of a recursion error has to fit into a header of its letter."""
    with pytest.raises(ValueError, match=re.escape(SECRET)) as caught:
        _fail(500)

    assert describe(caught.value).count(" > ") == 19
