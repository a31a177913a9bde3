"""What is wrong with an event, and where."""

from core.strategies import many
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.problem import MOST, Problem, Step, first, place, sentence


@table(
    "problem, text",
    {
        "a place and a rule": (Problem("call_id", "is required"), "call_id: is required"),
        "the event as a whole": (Problem("", "must be an object"), "must be an object"),
    },
)
def test_a_problem_reads_as_place_and_rule(problem: Problem, text: str) -> None:
    """The message of a letter is made of these."""
    assert str(problem) == text


@table(
    "steps, text",
    {
        "nothing": ((), ""),
        "a field": (("call_id",), "call_id"),
        "a row": (("transcript_with_tool_calls", 3), "transcript_with_tool_calls[3]"),
        "a field of a row": (
            ("transcript_with_tool_calls", 3, "end_ms"),
            "transcript_with_tool_calls[3].end_ms",
        ),
        "an array in an array": (("a", 0, 1), "a[0][1]"),
        "an array first": ((0, "a"), "[0].a"),
        "names that programmers use": (("_a", "b-c.d", "E9"), "_a.b-c.d.E9"),
        "a phone number": (("metadata", "+15550100"), "metadata.(key)"),
        "a number": (("metadata", "15550100"), "metadata.(key)"),
        "a name with a space": (("Ann Smith",), "(key)"),
        "no letters at all": (("",), "(key)"),
        "letters of other alphabets": (("M\u00fcller",), "(key)"),
        "a line break": (("a\n",), "(key)"),
        "a name that is too long for a field": (("a" * 65,), "(key)"),
        "the longest name": (("a" * 64,), "a" * 64),
        "as deep as one reads": (("a",) * 16, ".".join("a" * 16)),
        "deeper": (("a",) * 17, ".".join("a" * 16) + "..."),
    },
)
def test_a_place_is_a_path_of_fields(steps: tuple[Step, ...], text: str) -> None:
    """A key that does not look like a field's name may be private itself, and is not shown."""
    assert place(steps) == text


@many
@given(st.lists(st.text(st.characters(codec=None)) | st.integers(0, 2**24)))
def test_a_place_fits_into_a_header(steps: list[Step]) -> None:
    """Whatever an event is nested like, its letter has to be written."""
    written = place(steps)

    assert written.isascii()
    assert written.isprintable()
    assert len(written) < 1_200


PROBLEMS = [Problem(f"field_{number}", "is required") for number in range(100)]


@table(
    "count, end",
    {
        "one": (1, "field_0: is required"),
        "as many as are told": (5, "field_4: is required"),
        "one more": (6, "field_4: is required; and 1 more"),
        "more": (19, "field_4: is required; and 14 more"),
        "as many as are looked for": (MOST, "field_4: is required; and at least 15 more"),
    },
)
def test_a_sentence_tells_the_first_five(count: int, end: str) -> None:
    """And how many there are besides, as far as that is known."""
    told = sentence(PROBLEMS[:count])

    assert told.startswith("field_0: is required")
    assert told.endswith(end)
    assert told.count("is required") == min(count, 5)


def test_a_sentence_may_be_shorter() -> None:
    """The reader of a table wants less."""
    assert sentence(PROBLEMS[:3], limit=1) == "field_0: is required; and 2 more"


def test_problems_are_parted_by_semicolons() -> None:
    """Rules have commas of their own."""
    assert sentence(PROBLEMS[:2]) == "field_0: is required; field_1: is required"


def test_no_problem_has_no_sentence() -> None:
    """Nothing is said of nothing."""
    assert sentence([]) == ""


def test_problems_are_not_looked_for_without_end() -> None:
    """An event can break a rule in each of a million rows."""
    left = iter(PROBLEMS)

    assert first(left) == tuple(PROBLEMS[:MOST])
    assert next(left) == PROBLEMS[MOST]
    assert first(PROBLEMS[:2]) == tuple(PROBLEMS[:2])
