"""A partition that cannot be read stops nobody else, and is read as far as it goes."""

from collections import deque

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from ingestor.edge.suspects import CLEARED_AFTER, MOST_RECORDS, REST_SECONDS, Poll, Suspects

A, B, C = (TopicPartition("t", number) for number in range(3))


def polls(suspects: Suspects, number: int, now: float, *wanted: TopicPartition) -> list[Poll]:
    """Choose *number* times in a row, all of which go well."""
    chosen = []
    for _ in range(number):
        chosen.append(suspects.choose(wanted, now))
        suspects.passed(chosen[-1], now)
    return chosen


def test_without_suspicion_all_are_polled_together() -> None:
    """As many records at a time as there may be."""
    assert polls(Suspects(), 2, 0.0, A, B, C) == [Poll((A, B, C), MOST_RECORDS)] * 2
    assert polls(Suspects(), 1, 0.0) == [Poll(())]


def test_a_suspect_is_polled_alone_and_in_turn_with_the_others() -> None:
    """Neither waits long for records that may not come, while the other may have some."""
    suspects = Suspects()
    assert not suspects.failed(B, 7, now=10.0)

    chosen = polls(suspects, 4, 10.0, A, B, C)

    good, alone = Poll((A, C), is_short=True), Poll((B,), MOST_RECORDS // 2, is_short=True)
    assert chosen in ([good, alone] * 2, [alone, good] * 2)


def test_several_suspects_take_turns() -> None:
    """One at a time: of two that fail together nobody would know which it was."""
    suspects = Suspects()
    for name in (A, B):
        suspects.failed(name, 0, now=10.0)

    chosen = polls(suspects, 8, 10.0, A, B, C)

    assert [poll.partitions for poll in chosen if poll.partitions != (C,)] == [(A,), (B,)] * 2


def test_without_others_a_suspect_is_waited_for() -> None:
    """There is nobody to keep waiting."""
    suspects = Suspects()
    suspects.failed(B, 0, now=10.0)

    assert polls(suspects, 2, 10.0, B) == [Poll((B,), MOST_RECORDS // 2)] * 2


def test_bites_get_smaller_until_the_record_is_found() -> None:
    """Which is told once; then the partition rests, and the others are as good as ever."""
    suspects, told = Suspects(), []
    for _ in range(20):
        told.append(suspects.failed(B, 7, now=10.0))
        if told[-1]:
            break

    assert len(told) == 9
    assert polls(suspects, 2, 10.0 + REST_SECONDS - 0.1, A, B) == [Poll((A,))] * 2
    assert polls(suspects, 1, 10.0, B) == [Poll(())]


def unreadable_from(offset: int) -> Suspects:
    """Have B rest, because its record at *offset* cannot be read."""
    suspects = Suspects()
    while not suspects.failed(B, offset, now=10.0):
        pass
    return suspects


def test_after_a_rest_the_record_is_tried_again_by_itself() -> None:
    """That it is still unreadable is no news; that another one is, is."""
    suspects, later = unreadable_from(7), 10.0 + REST_SECONDS

    (poll,) = polls(suspects, 1, later, B)
    assert poll == Poll((B,), 1)
    assert not suspects.failed(B, 7, later)

    later += REST_SECONDS
    assert polls(suspects, 1, later, B) == [Poll((B,), 1)]
    assert suspects.failed(B, 9, later)


def test_a_suspect_that_is_read_for_a_while_is_cleared() -> None:
    """Somebody removed the record, or the fault lay elsewhere."""
    suspects, later = unreadable_from(7), 10.0 + REST_SECONDS

    polls(suspects, 4, later + CLEARED_AFTER - 0.1, A, B)
    assert polls(suspects, 1, later + CLEARED_AFTER - 0.1, B) == [Poll((B,), 1)]

    polls(suspects, 2, later + CLEARED_AFTER, A, B)
    assert polls(suspects, 2, later + CLEARED_AFTER, A, B) == [Poll((A, B))] * 2


def test_only_what_is_asked_for_is_polled() -> None:
    """A suspect that has no room waits like the others."""
    suspects = Suspects()
    suspects.failed(B, 0, now=10.0)

    assert polls(suspects, 2, 10.0, A, C) == [Poll((A, C))] * 2
    assert polls(suspects, 2, 10.0) == [Poll(())] * 2


def test_partitions_that_went_away_are_forgotten() -> None:
    """Whoever has them now finds out by himself."""
    suspects = unreadable_from(7)
    suspects.failed(A, 0, now=10.0)

    suspects.keep([A, C])

    assert polls(suspects, 2, 10.0, B, C) == [Poll((B, C))] * 2
    assert {poll.partitions for poll in polls(suspects, 2, 10.0, A, B)} == {(A,), (B,)}


@given(st.lists(st.lists(st.booleans(), max_size=60), min_size=1, max_size=4))
def test_everything_but_what_cannot_be_read_is_read(logs: list[list[bool]]) -> None:
    """Wherever the faults are: all of a partition up to its first one, and of the others all."""
    names = [TopicPartition("t", number) for number in range(len(logs))]
    unread = {name: deque(log) for name, log in zip(names, logs, strict=True)}
    suspects, read, now = Suspects(), dict.fromkeys(names, 0), 0.0

    for _ in range(40 * len(names)):
        poll = suspects.choose(names, now)
        room, taken = poll.records, dict.fromkeys(names, 0)
        culprit = None
        for name in poll.partitions:
            for is_good in list(unread[name])[:room]:
                if not is_good:
                    culprit = name
                    break
                taken[name] += 1
            room -= taken[name]
            if culprit or not room:
                break
        now += 0.01
        if culprit:
            suspects.failed(culprit, read[culprit], now)
            continue
        suspects.passed(poll, now)
        for name, count in taken.items():
            read[name] += count
            for _ in range(count):
                unread[name].popleft()

    first_faults = [log.index(False) if False in log else len(log) for log in logs]
    assert [read[name] for name in names] == first_faults
