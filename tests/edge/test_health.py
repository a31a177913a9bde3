"""The service is ready, or says why not."""

from builders import NOW

from ingestor.core.holds import Key
from ingestor.core.remedies import remedy
from ingestor.core.verdict import Scope
from ingestor.edge.health import Health, Held


def hold(health: Health, key: Key, cause: str) -> Held:
    """Have something be held."""
    health.held[key] = held = Held(key, cause, NOW)
    return held


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
    wrong = hold(health, Key(Scope.CREDENTIAL, "default"), "unauthorized")
    unsafe = hold(health, Key(Scope.DESTINATION, "eu@https://eu.test"), "tls")

    assert health.obstacles == [
        f"held: credential default (unauthorized) since 2026-06-10T16:14:22Z. {wrong.remedy}",
        f"held: destination eu@https://eu.test (tls) since 2026-06-10T16:14:22Z. {unsafe.remedy}",
    ]


def test_it_is_not_ready_while_letters_are_held() -> None:
    """A deploy that makes everything die is not rolled out any further."""
    health = Health()
    health.has_joined = True
    health.letters_held["topic calls"] = "malformed"

    assert health.obstacles == ["letters held: topic calls (malformed)"]


def test_an_outage_leaves_it_ready() -> None:
    """A deploy has to be able to roll meanwhile, and nobody can mend anything here."""
    health = Health()
    health.has_joined = True

    outage = hold(health, Key(Scope.SERVER, "https://eu.test"), "timeout")

    assert health.obstacles == []
    assert outage.is_outage


def test_what_is_held_says_all_of_it() -> None:
    """What, why, since when, and what to do."""
    held = Held(Key(Scope.SERVER, "https://eu.test"), "status_503", NOW + 0.9)

    assert held.fields() == {
        "key": "server https://eu.test",
        "cause": "status_503",
        "since": "2026-06-10T16:14:22Z",
        "remedy": remedy("status_503", is_outage=True),
    }


def test_it_is_not_ready_while_draining() -> None:
    """Nobody should wait for a process that goes."""
    health = Health()
    health.has_joined = health.is_draining = True

    assert health.obstacles == ["draining"]
