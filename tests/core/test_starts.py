"""Where a partition is read from."""

from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.memo import Memo, Stretch, write
from ingestor.core.starts import Bounds, Reset, Start, reset_of, start

HELD = Bounds(begin=100, end=200)


def memo(base: int) -> Memo:
    """Make a memo that was committed with *base*."""
    return Memo(base, (Stretch(base + 1, 1_781_108_062_500, base + 9),))


@table(
    "committed, reset, expected",
    {
        "a new group begins with the oldest record": (
            None,
            Reset.EARLIEST,
            Start(100, is_new=True),
        ),
        "or with the next one to come": (None, Reset.LATEST, Start(200, is_new=True)),
        "a known group goes on where it was": (150, Reset.LATEST, Start(150)),
        "at the begin": (100, Reset.LATEST, Start(100)),
        "at the end": (200, Reset.EARLIEST, Start(200)),
        "retention overtook it": (90, Reset.LATEST, Start(100, lost=10)),
        "the topic was made again": (201, Reset.LATEST, Start(100, is_new=True)),
    },
)
def test_the_start_of_an_assignment(committed: int | None, reset: Reset, expected: Start) -> None:
    """The reset decides for new groups only."""
    assert start(committed, HELD, reset) == expected


@table(
    "committed, written, expected",
    {
        "what is finished beyond it is known": (150, memo(150), Start(150, memo(150))),
        "for another offset it was not meant": (150, memo(149), Start(150)),
        "retention takes some of it": (95, memo(95), Start(100, memo(95), lost=5)),
        "the topic was made again": (201, memo(201), Start(100, is_new=True)),
        "a new group has no past": (None, memo(150), Start(100, is_new=True)),
    },
)
def test_a_start_knows_what_is_finished_beyond_it(
    committed: int | None, written: Memo, expected: Start
) -> None:
    """The metadata of the commit says it."""
    assert start(committed, HELD, Reset.EARLIEST, write(written)) == expected


def test_metadata_of_others_is_no_memo() -> None:
    """Any client may commit any text."""
    assert start(150, HELD, Reset.EARLIEST, "by hand") == Start(150)


@table(
    "reset, is_first, is_known, expected",
    {
        "a new group that wants the latest": (Reset.LATEST, True, False, Reset.LATEST),
        "a topic that the group knows gained a partition while nobody was there": (
            Reset.LATEST,
            True,
            True,
            Reset.EARLIEST,
        ),
        "a topic was made again while we read": (Reset.LATEST, False, False, Reset.EARLIEST),
        "a topic gained a partition while we read": (Reset.LATEST, False, True, Reset.EARLIEST),
        "whoever wants all gets all": (Reset.EARLIEST, True, False, Reset.EARLIEST),
    },
)
def test_latest_is_for_what_a_new_group_finds(
    *, reset: Reset, is_first: bool, is_known: bool, expected: Reset
) -> None:
    """What comes later is read from its begin: nobody has read it, and nothing of it is old."""
    assert reset_of(reset, is_first=is_first, is_known=is_known) is expected


def test_resets_are_the_words_of_kafka() -> None:
    """The settings have them."""
    assert [str(reset) for reset in Reset] == ["earliest", "latest"]


@given(
    st.none() | st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.sampled_from(Reset),
)
def test_a_start_is_always_within_what_the_partition_holds(
    committed: int | None, begin: int, size: int, reset: Reset
) -> None:
    """No record that is still there is skipped, except by a new group that wants the latest."""
    bounds = Bounds(begin, begin + size)

    chosen = start(committed, bounds, reset)

    assert bounds.begin <= chosen.offset <= bounds.end
    assert chosen.is_new == (committed is None or committed > bounds.end)
    if committed is not None:
        assert chosen.offset <= max(committed, bounds.begin)
        assert chosen.lost == max(0, bounds.begin - committed)
