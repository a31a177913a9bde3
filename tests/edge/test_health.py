"""The service is ready, or says why not."""

from ingestor.core.holds import Key
from ingestor.core.verdict import Scope
from ingestor.edge.health import Health


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
    health.held[Key(Scope.CREDENTIAL, "default")] = "unauthorized"
    health.held[Key(Scope.DESTINATION, "eu@https://eu.test")] = "tls"

    assert health.obstacles == [
        "held: credential default (unauthorized)",
        "held: destination eu@https://eu.test (tls)",
    ]


def test_it_is_not_ready_while_letters_are_held() -> None:
    """A deploy that makes everything die is not rolled out any further."""
    health = Health()
    health.has_joined = True
    health.letters_held["topic calls"] = "malformed"

    assert health.obstacles == ["letters held: topic calls (malformed)"]


def test_it_is_not_ready_while_draining() -> None:
    """Nobody should wait for a process that goes."""
    health = Health()
    health.has_joined = health.is_draining = True

    assert health.obstacles == ["draining"]
