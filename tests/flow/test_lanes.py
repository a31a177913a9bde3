"""A lane for each name: one item in front, the others behind it in the order in which they came."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.flow.lanes import Lanes

NAMES = st.sampled_from("abc")


def test_the_first_in_a_lane_is_in_front() -> None:
    """Nobody waits for nobody."""
    lanes: Lanes[int] = Lanes()

    assert lanes.enter("a", 1)
    assert lanes.enter("b", 2), "another lane is another matter"
    assert not lanes.enter("a", 3)
    assert len(lanes) == 2


def test_a_lane_without_items_takes_no_room() -> None:
    """There are as many names as there are calls: what is over is forgotten."""
    lanes: Lanes[int] = Lanes()
    lanes.enter("a", 1)

    assert lanes.leave("a") is None
    assert len(lanes) == 0
    assert lanes.enter("a", 2), "and begins anew"


def test_clearing_forgets_those_who_wait() -> None:
    """After a drain everything comes again, from the first."""
    lanes: Lanes[int] = Lanes()
    lanes.enter("a", 1)
    lanes.enter("a", 2)

    lanes.clear()

    assert len(lanes) == 0
    assert lanes.enter("a", 3)


@given(st.lists(NAMES | NAMES.map(str.upper)))
def test_items_leave_a_lane_in_the_order_in_which_they_entered(steps: list[str]) -> None:
    """Whatever happens in the other lanes; lower case enters, upper case leaves."""
    lanes: Lanes[int] = Lanes()
    expected: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        waiting = expected.setdefault(step.lower(), [])
        if step.islower():
            assert lanes.enter(step, number) == (not waiting)
            waiting.append(number)
        elif waiting:
            del waiting[0]
            assert lanes.leave(step.lower()) == (waiting[0] if waiting else None)
    assert len(lanes) == sum(map(bool, expected.values()))
