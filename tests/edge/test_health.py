"""The service is ready, or says why not."""

from builders import NOW

from ingestor.core.notice import Kind, Matter, Notice
from ingestor.edge.health import Health, fields


def hold(health: Health, kind: Kind, what: str, cause: str) -> None:
    """Have something be held."""
    matter = Matter(kind, what)
    health.held[matter] = Notice(matter, cause, "Mend it.", since=NOW)


def test_it_is_not_ready_before_it_joined() -> None:
    """A deploy waits for it."""
    health = Health()

    assert health.obstacles == ["starting: the group is not joined yet"]

    health.has_joined = True

    assert health.obstacles == []


def test_it_is_not_ready_while_something_is_held_by_our_own_fault() -> None:
    """Each hold is named with its cause: that is what somebody has to mend."""
    health = Health()
    health.has_joined = True
    hold(health, Kind.FAULT, "credential default", "unauthorized")
    hold(health, Kind.FAULT, "destination eu@https://eu.test", "tls")

    assert health.obstacles == [
        "held: credential default (unauthorized) since 2026-06-10T16:14:22Z: Mend it.",
        "held: destination eu@https://eu.test (tls) since 2026-06-10T16:14:22Z: Mend it.",
    ]


def test_it_is_not_ready_while_letters_are_held() -> None:
    """A deploy that makes everything die is not rolled out any further."""
    health = Health()
    health.has_joined = True
    hold(health, Kind.LETTERS, "topic calls", "malformed")

    assert health.obstacles == [
        "letters held: topic calls (malformed) since 2026-06-10T16:14:22Z: Mend it."
    ]


def test_an_outage_leaves_it_ready() -> None:
    """A deploy has to be able to roll meanwhile, and nobody can mend anything here."""
    health = Health()
    health.has_joined = True

    hold(health, Kind.OUTAGE, "server https://eu.test", "timeout")

    assert health.obstacles == []


def test_what_is_held_says_all_of_it() -> None:
    """What, why, since when, what to do, and how many records wait for it."""
    matter = Matter(Kind.OUTAGE, "server https://eu.test")

    assert fields(Notice(matter, "status_503", "Wait.", 7, NOW + 0.9)) == {
        "state": "open",
        "what": "server https://eu.test",
        "cause": "status_503",
        "since": "2026-06-10T16:14:22Z",
        "remedy": "Wait.",
        "waiting": 7,
    }


def test_it_is_not_ready_while_draining() -> None:
    """Nobody should wait for a process that goes."""
    health = Health()
    health.has_joined = health.is_draining = True

    assert health.obstacles == ["draining"]
