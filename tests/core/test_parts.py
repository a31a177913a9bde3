"""A letter that was cut is joined again, whatever happened to its parts."""

import random

import pytest
from builders import NOW, dead, record, route
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.letter import Letter, letter
from ingestor.core.parts import PART, Joining, Source, cut, most_parts, source
from ingestor.core.record import Header

OWN: st.SearchStrategy[Header] = st.tuples(
    st.text(max_size=10).filter(lambda name: not name.startswith("ingestor-")),
    st.none() | st.binary(max_size=200),
)


def made(
    value: bytes | None = b"0123456789", *, offset: int = 7, headers: tuple[Header, ...] = ()
) -> Letter:
    """Write the letter of a record."""
    died = record(value, offset=offset, key=b"k", headers=headers)
    return letter(died, dead(), route(), version="1")


letters = st.builds(
    made,
    st.none() | st.binary(max_size=2_000),
    offset=st.integers(0, 3),
    headers=st.lists(OWN, max_size=6).map(tuple),
)


def joined(*parts: Letter) -> list[Letter]:
    """Join what was read."""
    joining = Joining()
    return [whole for part in parts if (whole := joining.add(part)) is not None]


def number(part: Letter) -> bytes:
    """Read which part it says to be."""
    return dict(part.headers)[PART] or b""


def test_parts_say_whose_they_are_and_which() -> None:
    """Each by itself has the key, and everything that we said of the failure."""
    whole = made(headers=(("own", b"1"),))

    parts = list(cut(whole, 3))

    assert [number(part) for part in parts] == [b"1/3", b"2/3", b"3/3"]
    assert {part.key for part in parts} == {b"k"}
    assert {source(part) for part in parts} == {Source("call-ended", 0, 7, 1_781_108_062_500)}
    assert all(set(part.headers) >= set(whole.headers[1:]) for part in parts)
    assert [part.headers[0] == ("own", b"1") for part in parts] == [True, False, False]


@given(letters, st.integers(1, 40))
def test_the_parts_of_a_letter_are_about_equal(whole: Letter, count: int) -> None:
    """A single header is never cut, and may be larger than the rest."""
    own = [len(name.encode()) + len(value or b"") for name, value in whole.headers[:6]]

    for part in cut(whole, count):
        assert len(part.value or b"") <= len(whole.value or b"") / count + max(own) + 100


@given(letters, st.integers(1, 12), st.randoms(use_true_random=False))
def test_whatever_the_order_and_however_often_a_letter_is_joined_once(
    whole: Letter, count: int, dice: random.Random
) -> None:
    """The same letter, byte for byte, with its headers in their order."""
    parts = [part for part in cut(whole, count) for _ in range(dice.randint(1, 3))]
    dice.shuffle(parts)

    assert joined(*parts) == [whole]


@given(letters, st.integers(2, 12), st.data())
def test_a_letter_that_lacks_a_part_does_not_come_out(
    whole: Letter, count: int, data: st.DataObject
) -> None:
    """But it is known that there is one."""
    parts = list(cut(whole, count))
    del parts[data.draw(st.integers(0, count - 1))]
    joining = Joining()

    assert [joining.add(part) for part in parts] == [None] * (count - 1)
    assert joining.incomplete == {source(whole)}


@given(
    st.lists(letters, min_size=1, max_size=4, unique_by=source),
    st.randoms(use_true_random=False),
)
def test_sets_that_were_begun_do_not_disturb(wholes: list[Letter], dice: random.Random) -> None:
    """Several letters at once, each cut several times in several ways, and killed in between."""
    read = []
    for whole in wholes:
        for _ in range(dice.randint(0, 3)):
            parts = list(cut(whole, dice.randint(2, 6)))
            read += parts[: dice.randint(0, len(parts) - 1)]
        read += list(cut(whole, dice.randint(2, 6)))
    dice.shuffle(read)
    joining = Joining()

    found = [it for part in read if (it := joining.add(part)) is not None]

    assert sorted(found, key=repr) == sorted(wholes, key=repr)
    assert joining.incomplete == set()


def test_a_later_death_of_the_same_record_completes_the_parts_of_an_earlier_one() -> None:
    """What it died of may differ; what it is does not."""
    died = record(b"0123456789", offset=7)
    first, second = (
        letter(died, dead(message=text), route(), version="1") for text in ("once", "twice")
    )
    (whole,) = joined(next(cut(first, 2)), list(cut(second, 2))[1])

    assert whole.value == b"0123456789"


def test_a_topic_made_again_has_other_letters() -> None:
    """The same place, another record: its parts must not be mixed with those of the first."""
    old = letter(record(b"old!", timestamp=int(NOW)), dead(), None, version="1")
    new = letter(record(b"new!", timestamp=int(NOW) + 1), dead(), None, version="1")

    assert joined(next(cut(old, 2)), list(cut(new, 2))[1]) == []


def test_a_whole_letter_passes() -> None:
    """As often as it was written: whoever counts asks for its source."""
    assert joined(made(), made()) == [made(), made()]


@pytest.mark.parametrize("said", [b"", b"0/2", b"3/2", b"1/0", b"one/two", b"1/2/3", None])
def test_what_is_no_part_passes_as_it_is(said: bytes | None) -> None:
    """Somebody else wrote it; it can be shown, and nothing waits for it."""
    strange = Letter(None, b"x", (*made().headers, (PART, said)))

    assert joined(strange) == [strange]


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("ingestor-topic", b"t"), ("ingestor-partition", b"0"), ("ingestor-offset", b"x")),
        (("ingestor-partition", b"0"), ("ingestor-offset", b"1"), ("ingestor-timestamp", b"1")),
        (("ingestor-topic", None), ("ingestor-partition", b"0")),
    ],
)
def test_a_part_without_a_source_passes_as_it_is(headers: tuple[Header, ...]) -> None:
    """Nothing says to which letter it belongs."""
    stray = Letter(None, b"x", (*headers, (PART, b"1/2")))

    assert source(stray) is None
    assert joined(stray) == [stray]


def test_there_are_as_many_parts_as_there_is_something_to_hold() -> None:
    """More would be empty."""
    assert most_parts(made(b"0123456789")) == 10
    assert most_parts(made(b"")) == 1
    assert most_parts(made(None, headers=(("ab", b"cd"),))) == 12
    assert str(source(made())) == "call-ended/0/7"
