"""Works are what they are called, and every goal is about works that are raced."""

from bench.figures import Figure, Run
from bench.sweeps import SWEEPS
from bench.works import BENTO, GOALS, SERVICE, WORKS, scaled, turns

PEERS = {work.name: set(work.peers) for work in WORKS}


def test_works_have_names_of_their_own() -> None:
    """Else the figures of one would stand for another."""
    swept = [work.name for sweep in SWEEPS for work in sweep.works]

    assert len(PEERS) == len(WORKS)
    assert len(set(swept)) == len(swept)


def test_every_goal_is_about_what_is_raced() -> None:
    """A goal with a name misspelt would be "not measured" for ever."""
    for goal in GOALS:
        for figure in (goal.top, goal.bottom):
            if isinstance(figure, Figure):
                assert figure.peer in PEERS[figure.work]
                assert figure.name in Run.__struct_fields__


def test_a_share_is_of_the_events() -> None:
    """But not of a backlog, which is what its work is about; and never next to nothing."""
    works = {work.name: scaled(work, 0.25) for work in WORKS}

    assert works["plain"].events == 10_000
    assert works["backlog-1000000"].events == 1_000_000
    assert all(scaled(work, 0.0001).events >= 1_000 for work in WORKS)


def test_what_is_compared_is_done_within_minutes() -> None:
    """All turns of a heat come in a row, and all have had one before the next round begins."""
    works = [work for work in WORKS if work.name in ("plain", "200ms", "two")]
    plain = [("plain", peer) for peer in works[0].peers]
    slow = [("200ms", SERVICE), ("200ms", BENTO), ("two", SERVICE)]

    assert [(work.name, peer) for work, peer in turns(works, 3)] == plain * 3 + slow * 3
