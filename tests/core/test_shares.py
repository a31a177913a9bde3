"""Slots are shared out so that no destination, and no kind of attempt, takes the others' part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.limiter import START
from ingestor.core.route import Destination
from ingestor.core.shares import ACTIVE_SECONDS, KEPT_PART, Share, Shares

A = Destination("https://a.test", "a")
B = Destination("https://b.test", "b")
A2 = Destination("https://a.test", "second")


def fill(shares: Shares, share: Share, now: float = 0.0) -> int:
    """Take slots for *share* as long as it may; return how many that were."""
    taken = 0
    while shares.has_room(share, now):
        shares.take(share, now, is_retry=False)
        taken += 1
    return taken


def test_one_destination_has_all_slots() -> None:
    """With nobody else at work nothing is kept back."""
    shares = Shares(10)

    assert fill(shares, shares.of(A)) == 10
    assert shares.in_use == 10


def test_a_server_has_no_more_than_its_limiter_finds_good() -> None:
    """However many slots there are."""
    shares = Shares(500)

    assert shares.limit == START
    assert fill(shares, shares.of(A)) == START
    assert fill(shares, shares.of(B)) == START
    assert shares.limit == 2 * START


def test_two_keys_of_one_server_have_one_limit() -> None:
    """It is the server that queues, whoever asks."""
    shares = Shares(500)
    fill(shares, shares.of(A))

    assert not shares.has_room(shares.of(A2), 0.0)


def test_what_a_destination_needs_to_come_back_is_kept() -> None:
    """A destination so slow that it gives nothing back must not keep a healthy one waiting."""
    shares = Shares(16)
    healthy, slow = shares.of(B), shares.of(A)
    shares.has_room(healthy, 0.0)

    taken = fill(shares, slow)

    assert taken == 16 - 8 // KEPT_PART
    assert fill(shares, healthy) == 16 - taken


def test_who_has_less_than_an_equal_part_may_have_more() -> None:
    """What the slow one gives back goes to the healthy one up to its part."""
    shares = Shares(16)
    healthy, slow = shares.of(B), shares.of(A)
    shares.has_room(healthy, 0.0)
    fill(shares, slow)
    fill(shares, healthy)

    shares.leave(slow, is_retry=False)

    assert shares.has_room(healthy, 0.0)


def test_for_a_destination_without_work_nothing_is_kept() -> None:
    """A customer who has no calls today costs the others nothing."""
    shares = Shares(16)
    shares.take(shares.of(B), 0.0, is_retry=False)
    shares.leave(shares.of(B), is_retry=False)

    assert fill(shares, shares.of(A), ACTIVE_SECONDS + 10) == 16


@pytest.mark.parametrize("most", [1, 2, 3])
def test_few_slots_go_to_whoever_comes(most: int) -> None:
    """There is no part of a slot to keep."""
    shares = Shares(most)
    for destination in (A, B):
        shares.has_room(shares.of(destination), 0.0)

    assert fill(shares, shares.of(A)) == most


def test_first_attempts_and_retries_take_turns() -> None:
    """Neither starves, even where there is but one slot."""
    shares = Shares(1)
    share = shares.of(A)
    turns = []
    for _ in range(4):
        is_retry = share.is_retry_next(first_waits=True)
        shares.take(share, 0.0, is_retry=is_retry)
        shares.leave(share, is_retry=is_retry)
        turns.append(is_retry)

    assert turns == [True, False, True, False]


def test_a_retry_that_waits_alone_is_next() -> None:
    """Again and again: turns are for those who both wait."""
    shares = Shares(4)
    share = shares.of(A)
    shares.take(share, 0.0, is_retry=True)

    assert share.is_retry_next(first_waits=False)


def test_an_eighth_is_kept_for_first_attempts() -> None:
    """A hundred calls that only time out do not keep a new one from being tried."""
    shares = Shares(START)
    share = shares.of(A)
    for _ in range(START - START // 8):
        assert share.has_room_for_retry
        shares.take(share, 0.0, is_retry=True)

    assert not share.has_room_for_retry
    assert shares.has_room(share, 0.0)


@given(
    most=st.integers(1, 40),
    steps=st.lists(
        st.tuples(st.sampled_from([A, B, A2]), st.booleans(), st.booleans(), st.floats(0, 40))
    ),
)
def test_the_bounds_hold_whoever_comes_and_goes(
    most: int, steps: list[tuple[Destination, bool, bool, float]]
) -> None:
    """Never more than all slots, never more than a server takes; and whoever has less than an equal
    part of what is free gets it.
    """
    shares, now = Shares(most), 0.0
    for destination, comes, is_retry, pause in steps:
        now += pause
        share = shares.of(destination)
        if comes and shares.has_room(share, now):
            shares.take(share, now, is_retry=is_retry)
        elif not comes and share.in_use > share.retrying:
            shares.leave(share, is_retry=False)
        assert shares.in_use <= most
        assert share.server.in_use <= share.server.limiter.limit
        is_full = share.server.in_use >= share.server.limiter.limit or shares.in_use >= most
        assert is_full or share.in_use >= most // 3 or shares.has_room(share, now)
