"""A partition of which nothing comes although there is something is noticed."""

from aiokafka import TopicPartition

from ingestor.edge.stalls import Stalls

A, B = TopicPartition("t", 0), TopicPartition("t", 1)
SECONDS = 20.0
LATER = 100.0 + SECONDS


def in_vain(*names: TopicPartition) -> Stalls:
    """Have *names* been asked for in vain since second 100."""
    stalls = Stalls(SECONDS)
    stalls.asked(names, (), 100.0)
    stalls.asked(names, (), 110.0)
    return stalls


def test_it_is_noticed_at_the_second_look() -> None:
    """After an outage the client needs a moment; then it is told once."""
    stalls = in_vain(A, B)

    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}, LATER) == []
    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}, LATER + 1) == [A]
    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}, LATER + 2) == []


def test_what_moves_is_not_stalled() -> None:
    """Markers of transactions are passed without a record."""
    stalls = in_vain(A)

    assert stalls.look({A: 5}, {A: 9}, LATER) == []
    assert stalls.look({A: 6}, {A: 9}, LATER + 1) == []


def test_what_was_not_asked_for_long_is_not_stalled() -> None:
    """It may have no room; and what gave something begins anew."""
    stalls = in_vain(A)
    stalls.asked((A,), {A}, 111.0)

    for now in (LATER, LATER + 1):
        assert stalls.look({A: 5, B: 5}, {A: 9, B: 9}, now) == []


def test_of_what_the_end_is_not_known_nothing_is_said() -> None:
    """There was no answer."""
    stalls = in_vain(A)

    for now in (LATER, LATER + 1):
        assert stalls.look({A: 5}, {}, now) == []


def test_a_new_assignment_begins_anew() -> None:
    """Nothing was asked for yet."""
    stalls = in_vain(A)
    assert stalls.look({A: 5}, {A: 9}, LATER) == []

    stalls.clear()

    assert stalls.look({A: 5}, {A: 9}, LATER + 1) == []
