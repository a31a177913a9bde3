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
    stalls.asked(names, (), LATER)
    return stalls


def test_it_is_noticed_at_the_second_look() -> None:
    """After an outage the client needs a moment; then it is told once."""
    stalls = in_vain(A, B)

    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}) == []
    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}) == [A]
    assert stalls.look({A: 5, B: 9}, {A: 6, B: 9}) == []


def test_what_moves_is_not_stalled() -> None:
    """Markers of transactions are passed without a record."""
    stalls = in_vain(A)

    assert stalls.look({A: 5}, {A: 9}) == []
    assert stalls.look({A: 6}, {A: 9}) == []


def test_what_was_not_asked_for_long_is_not_stalled() -> None:
    """And what gave something begins anew."""
    stalls = in_vain(A)
    stalls.asked((A,), {A}, LATER + 1)

    for _ in range(2):
        assert stalls.look({A: 5, B: 5}, {A: 9, B: 9}) == []


def test_time_in_which_nobody_asks_does_not_count() -> None:
    """A partition for which there is no room is not asked for, as long as an outage of Tuner takes;
    the client would give it at once.
    """
    stalls = Stalls(SECONDS)
    stalls.asked((A,), (), 100.0)
    stalls.asked((A,), (), 101.0)
    for second in range(600):
        stalls.asked((), (), 102.0 + second)
    for _ in range(2):
        assert stalls.look({A: 5}, {A: 9}) == []

    for second in range(int(SECONDS)):
        stalls.asked((A,), (), 702.0 + second)
    assert stalls.look({A: 5}, {A: 9}) == []
    assert stalls.look({A: 5}, {A: 9}) == [A]


def test_of_what_the_end_is_not_known_nothing_is_said() -> None:
    """There was no answer."""
    stalls = in_vain(A)

    for _ in range(2):
        assert stalls.look({A: 5}, {}) == []


def test_a_new_assignment_begins_anew() -> None:
    """Nothing was asked for yet."""
    stalls = in_vain(A)
    assert stalls.look({A: 5}, {A: 9}) == []

    stalls.clear()

    assert stalls.look({A: 5}, {A: 9}) == []
