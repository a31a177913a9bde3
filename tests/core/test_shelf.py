"""Somebody who looks for letters finds each of them once, and only those."""

import pytest
from builders import dead, record, route

from ingestor.core.letter import Letter, letter
from ingestor.core.outcome import Reason
from ingestor.core.parts import cut
from ingestor.core.shelf import Found, Shelf, Wanted, said


def made(offset: int = 0, reason: Reason = Reason.REFUSED, call_id: str | None = "a") -> Letter:
    """Write a letter."""
    died = record(b"0123456789", offset=offset, headers=(("own", b"\xff"),))
    return letter(died, dead(reason, call_id=call_id), route(), version="1")


LETTERS = (
    made(0),
    made(1, Reason.INVALID, "b"),
    made(2, Reason.MALFORMED, None),
    Letter(None, b"of somebody else", ()),
)


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        (Wanted(), [0, 1, 2, 3]),
        (Wanted(reason="refused"), [0]),
        (Wanted(call_id="b"), [1]),
        (Wanted(place="call-ended/0/2"), [2]),
        (Wanted(reason="refused", call_id="b"), []),
    ],
)
def test_only_what_is_wanted_is_kept(wanted: Wanted, places: list[int]) -> None:
    """All that is asked for has to be so."""
    shelf = Shelf(wanted, keeps_values=True)
    for each in LETTERS:
        shelf.put(each)

    assert [found.letter for found in shelf] == [LETTERS[place] for place in places]
    assert len(shelf) == len(places)


def test_a_letter_that_was_written_twice_is_there_once() -> None:
    """The later one: it knows of more attempts. Strangers cannot be told apart, and all stay."""
    shelf = Shelf(Wanted())
    for each in (*LETTERS, made(0, Reason.EXHAUSTED), LETTERS[3]):
        shelf.put(each)

    assert [said(found.letter).get("reason") for found in shelf] == [
        "exhausted",
        "invalid",
        "malformed",
        None,
        None,
    ]


def test_parts_are_put_together_and_lacking_ones_are_counted() -> None:
    """Whether or not their values are kept."""
    shelf = Shelf(Wanted(), keeps_values=True)
    for part in (*cut(made(0), 3), *list(cut(made(1), 3))[:2]):
        shelf.put(part)

    assert list(shelf) == [Found(made(0), 10)]
    assert shelf.incomplete == 1


def test_a_value_is_measured_and_not_kept_unless_it_is_asked_for() -> None:
    """A topic of letters may be larger than memory."""
    shelf = Shelf(Wanted())
    shelf.put(made())
    shelf.put(letter(record(None, offset=9), dead(), None, version="1"))

    assert [(found.letter.value, found.bytes) for found in shelf] == [(None, 10), (None, None)]


def test_what_a_letter_says_is_read_leniently() -> None:
    """Anybody may have written it."""
    assert said(Letter(None, None, (("ingestor-reason", b"\xff"), ("ingestor-status", None)))) == {
        "reason": "\N{REPLACEMENT CHARACTER}",
        "status": "",
    }
