"""The room is bounded in records and in bytes, and once full it stays shut for a while."""

from hypothesis import given
from hypothesis import strategies as st

from ingestor.flow.room import REOPENS_AT, Bounds, Room


def is_open(room: Room) -> bool:
    """Ask anew: a type checker believes that an attribute stays as it is."""
    return room.is_open


def test_a_room_shuts_when_it_has_as_many_records_as_it_may() -> None:
    """A backlog of a million small records must not be taken in at once."""
    room = Room(Bounds(records=4, bytes=1_000))

    for _ in range(3):
        room.enter(1)
    assert is_open(room)
    room.enter(1)

    assert not is_open(room)
    assert (room.records, room.bytes) == (4, 4)


def test_a_room_shuts_when_it_has_as_many_bytes_as_it_may() -> None:
    """Nor must few large ones: a transcript can have megabytes."""
    room = Room(Bounds(records=100, bytes=1_000))

    room.enter(999)
    assert is_open(room)
    room.enter(1)

    assert not is_open(room)


def test_one_record_larger_than_the_room_is_taken_in() -> None:
    """Else it would never be."""
    room = Room(Bounds(records=100, bytes=1_000))

    room.enter(5_000)
    assert not is_open(room)
    room.leave(5_000)

    assert is_open(room)


def test_a_full_room_reopens_when_it_has_emptied_to_a_part() -> None:
    """With every single record that leaves, the source would be asked for one."""
    room = Room(Bounds(records=8, bytes=1_000))
    for _ in range(8):
        room.enter(1)

    room.leave(1)
    assert not is_open(room)
    room.leave(1)

    assert is_open(room), "6 of 8"


def test_a_room_full_of_bytes_reopens_at_the_same_part() -> None:
    """However few records they are."""
    room = Room(Bounds(records=100, bytes=1_000))
    for size in (1, 249, 750):
        room.enter(size)

    room.leave(249)
    assert not is_open(room)
    room.leave(1)

    assert is_open(room), "750 of 1,000"


def test_a_full_room_reopens_only_when_both_measures_allow_it() -> None:
    """Records are few again, but the bytes are still there."""
    room = Room(Bounds(records=4, bytes=1_000))
    room.enter(900)
    for _ in range(3):
        room.enter(1)

    for _ in range(3):
        room.leave(1)
    assert not is_open(room)
    room.leave(900)

    assert is_open(room)


def test_an_emptied_room_is_open_whatever_was_in_it() -> None:
    """After a drain nothing is in work."""
    room = Room(Bounds(records=2, bytes=10))
    room.enter(50)
    room.enter(50)

    room.empty()

    assert is_open(room)
    assert (room.records, room.bytes) == (0, 0)


@given(
    bounds=st.builds(Bounds, st.integers(1, 6), st.integers(1, 40)),
    steps=st.lists(st.integers(0, 20) | st.none()),
)
def test_an_open_room_is_never_full_and_a_shut_one_never_nearly_empty(
    bounds: Bounds, steps: list[int | None]
) -> None:
    """Whatever enters and leaves: taking in stops in time, and goes on in time."""
    room, inside = Room(bounds), list[int]()
    for size in steps:
        if size is not None:
            room.enter(size)
            inside.append(size)
        elif inside:
            room.leave(inside.pop(0))
        assert (room.records, room.bytes) == (len(inside), sum(inside))
        if is_open(room):
            assert room.records < bounds.records
            assert room.bytes < bounds.bytes
        else:
            few = room.records <= bounds.records * REOPENS_AT
            assert not (few and room.bytes <= bounds.bytes * REOPENS_AT)
