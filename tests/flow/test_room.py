"""The room is bounded in records and in bytes, and no partition takes all of it."""

from itertools import accumulate

import pytest
from flow.road import P0, P1
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.record import Partition
from ingestor.flow.room import MOST_AT_ONCE, OVERHEAD_BYTES, REOPENS_AT, Bounds, Room

MiB = 2**20
MANY = [Partition("calls", number) for number in range(12)]


def fill(room: Room, partition: Partition, size: int, among: list[Partition]) -> int:
    """Bring records of *size* bytes of *partition* as long as they may come; count them."""
    count = 0
    while partition in room.open_to(among):
        room.enter(partition, size)
        count += 1
    return count


def test_a_room_has_as_many_records_as_it_may() -> None:
    """A backlog of a million small records must not be taken in at once."""
    room = Room(Bounds(records=4, bytes=1_000))

    assert fill(room, P0, 1, [P0]) == 4
    assert (room.records, room.bytes) == (4, 4)
    assert room.is_full


def test_a_room_has_as_many_bytes_as_it_may() -> None:
    """Nor must few large ones: a transcript can have megabytes."""
    room = Room(Bounds(records=100, bytes=1_000))

    assert fill(room, P0, 300, [P0]) == 4
    assert room.is_full


def test_one_record_larger_than_the_room_is_taken_in() -> None:
    """Else it would never be."""
    room = Room(Bounds(records=100, bytes=1_000))

    assert fill(room, P0, 5_000, [P0]) == 1
    room.leave(P0, 5_000)

    assert room.open_to([P0])


@pytest.mark.parametrize(("partitions", "part"), [(1, 1.0), (2, 1 / 2), (12, 1 / 2)])
def test_one_partition_has_half_of_the_room_and_all_of_it_when_alone(
    partitions: int, part: float
) -> None:
    """Its records may wait for a slow call_id or a hold: the others must go on."""
    room = Room(Bounds(records=10_000, bytes=MiB))

    fill(room, MANY[0], 1_000, MANY[:partitions])

    assert room.bytes == pytest.approx(part * MiB, rel=0.01)


@pytest.mark.parametrize("stuck", range(1, 12))
def test_however_many_partitions_are_stuck_the_others_have_room(stuck: int) -> None:
    """What is left is shared as well; it never comes to nothing."""
    room = Room(Bounds(records=100_000, bytes=MiB))
    for partition in MANY[:stuck]:
        fill(room, partition, 1_000, MANY)

    got = fill(room, MANY[-1], 1_000, MANY) * 1_000

    # Whoever comes first takes half of what there is, and so on.
    assert got == pytest.approx(MiB / 2 ** (stuck + 1), abs=2_000)


def test_partitions_that_fill_together_have_equal_parts() -> None:
    """As they do in practice: a poll brings something of each."""
    room = Room(Bounds(records=100_000, bytes=MiB))
    counts = dict.fromkeys(MANY, 0)
    while found := room.open_to(MANY):
        for partition in found:
            room.enter(partition, 1_000)
            counts[partition] += 1

    assert len(set(counts.values())) == 1
    assert room.bytes == pytest.approx(MiB * 12 / 13, rel=0.02)


def test_a_partition_that_had_its_part_reopens_when_it_has_emptied_somewhat() -> None:
    """With every single record that leaves, the source would be asked for one."""
    room = Room(Bounds(records=8, bytes=MiB))
    fill(room, P0, 1, [P0])

    room.leave(P0, 1)
    assert not room.open_to([P0])
    room.leave(P0, 1)

    assert room.open_to([P0]), "6 of 8"


def test_a_full_room_is_open_to_nobody() -> None:
    """Not even to a partition that has nothing in it yet."""
    room = Room(Bounds(records=100, bytes=1_000))
    room.enter(P0, 400)
    room.enter(P1, 600)

    assert room.open_to([*MANY, P0, P1]) == ()


def test_both_measures_have_to_allow_it() -> None:
    """Records are few again, but the bytes are still there."""
    room = Room(Bounds(records=4, bytes=1_000))
    room.enter(P0, 900)
    for _ in range(3):
        room.enter(P0, 1)
    assert not room.open_to([P0])

    for _ in range(3):
        room.leave(P0, 1)
    assert not room.open_to([P0])
    room.leave(P0, 900)

    assert room.open_to([P0])


def test_an_emptied_room_is_open_whatever_was_in_it() -> None:
    """After a drain nothing is in work."""
    room = Room(Bounds(records=2, bytes=10))
    room.enter(P0, 50)
    room.enter(P1, 50)

    room.empty()

    assert room.open_to([P0, P1]) == [P0, P1]
    assert (room.records, room.bytes) == (0, 0)


def test_a_backlog_comes_in_slowly_until_its_size_is_known() -> None:
    """One, two, four, ...: five hundred records of 8 MiB would be 4 GB."""
    room = Room(Bounds(records=100_000, bytes=1_000 * MiB))
    batches = []
    for _ in range(12):
        batches.append(room.batch())
        room.enter(P0, OVERHEAD_BYTES)

    assert batches == [1, 2, 4, 8, 16, 32, 64, 128, 256, MOST_AT_ONCE, MOST_AT_ONCE, MOST_AT_ONCE]


def test_without_records_nothing_is_learnt() -> None:
    """An idle hour does not make the first batch larger."""
    room = Room(Bounds(records=100_000, bytes=1_000 * MiB))

    assert [room.batch() for _ in range(100)] == [1] * 100


def test_large_records_are_asked_for_by_the_few() -> None:
    """As many as fill half of what is free; but one, always."""
    room = Room(Bounds(records=100_000, bytes=48 * MiB))
    for _ in range(20):
        room.enter(P0, 1)
        room.batch()

    room.enter(P0, 8 * MiB)
    assert room.batch() == 2
    for _ in range(4):
        room.enter(P0, 8 * MiB)
    assert room.batch() == 1


def test_one_large_record_is_forgotten_after_a_while() -> None:
    """It must not slow down all the small ones that follow."""
    room = Room(Bounds(records=100_000, bytes=48 * MiB))
    room.enter(P0, 8 * MiB)
    room.leave(P0, 8 * MiB)

    batches = []
    for _ in range(150):
        room.enter(P0, 5_000)
        room.leave(P0, 5_000)
        batches.append(room.batch())

    assert batches[-1] == MOST_AT_ONCE


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=60)
STEPS = st.lists(st.tuples(st.integers(0, 5), SIZES, st.integers(0, 12)), max_size=80)


def polled(sizes: list[int], most: int, ahead: int) -> list[int]:
    """Take *most* of *sizes*, and no more bytes than the client reads *ahead*; but one, always."""
    totals = accumulate(sizes)
    return [size for size, total in zip(sizes[:most], totals, strict=False) if total <= ahead] or [
        sizes[0]
    ]


@given(
    bounds=st.builds(Bounds, st.integers(4, 60), st.integers(40, 4_000)),
    partitions=st.integers(1, 6),
    steps=STEPS,
)
def test_the_bounds_hold_whatever_comes_and_leaves(
    bounds: Bounds, partitions: int, steps: list[tuple[int, list[int], int]]
) -> None:
    """Whatever the sizes are, what is in work exceeds its part by no more than what was read ahead,
    for which the rest of the budget is kept, or by one record; never more records than there may
    be; a partition that may bring more has less than what is free; an empty one is open while there
    is room.
    """
    scale = OVERHEAD_BYTES  # no record takes less: else the first batch could be too large
    bounds = Bounds(bounds.records, bounds.bytes * scale)
    ahead = bounds.bytes // 6  # an eighth of the budget, of which the room has three quarters
    room, names = Room(bounds), MANY[:partitions]
    inside: list[tuple[Partition, int]] = []
    for number, sizes, leaving in steps:
        wanted = room.open_to(names)
        partition = names[number % partitions]
        most = room.batch() if partition in wanted else 0
        arriving = polled([size * scale for size in sizes], most, ahead) if most else []
        for size in arriving:
            room.enter(partition, size)
            inside.append((partition, size))
        if arriving:
            assert room.bytes < bounds.bytes + max(ahead, arriving[0])
        for gone in inside[:leaving]:
            room.leave(*gone)
        del inside[:leaving]
        assert (room.records, room.bytes) == (len(inside), sum(it for _, it in inside))
        assert room.records <= bounds.records
        for each in names:
            own = sum(it for name, it in inside if name == each)
            if each not in room.open_to(names):
                assert own or room.is_full
            elif partitions > 1 and own:
                assert own < bounds.bytes - room.bytes


@given(
    size=st.integers(OVERHEAD_BYTES, 2**22),
    budget=st.integers(2**20, 2**27),
    partitions=st.integers(1, 12),
    order=st.lists(st.integers(0, 11), min_size=1, max_size=200),
)
def test_records_of_one_size_exceed_the_budget_by_no_more_than_one_of_them(
    size: int, budget: int, partitions: int, order: list[int]
) -> None:
    """Whatever the size, and from the first one on, when nothing leaves any more."""
    room, names = Room(Bounds(10**6, budget)), MANY[:partitions]
    for number in order:
        partition = names[number % partitions]
        if partition in room.open_to(names):
            for _ in range(room.batch()):
                room.enter(partition, size)
        assert room.bytes < budget + size


def test_a_part_is_three_quarters() -> None:
    """The figure stands in the tests above as 6 of 8."""
    assert REOPENS_AT == 0.75
