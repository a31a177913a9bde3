"""Whether the service is ready, and if not, why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestor.core.holds import Key
from ingestor.core.remedies import remedy
from ingestor.core.verdict import Scope


@dataclass(frozen=True, slots=True)
class Held:
    """What is held under *key*, why, and *since* when, in seconds since the epoch."""

    key: Key
    cause: str
    since: float

    @property
    def is_outage(self) -> bool:
        """Whether it waits for Tuner, and nobody has to mend anything of ours."""
        return self.key.scope is Scope.SERVER

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return remedy(self.cause, is_outage=self.is_outage)

    def fields(self) -> Mapping[str, str]:
        """Say all of it, for a log."""
        return {
            "key": str(self.key),
            "cause": self.cause,
            "since": _instant(self.since),
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        return f"held: {self.key} ({self.cause}) since {_instant(self.since)}. {self.remedy}"


class Health:
    """Ready once the group was joined; not while draining, and not while something is held by our
    own fault.

    An outage of Tuner or of Kafka leaves it ready: a deploy has to be able to roll meanwhile.
    """

    def __init__(self) -> None:
        self.has_joined = False
        self.is_draining = False
        self.held: dict[Key, Held] = {}
        self.letters_held: dict[str, str] = {}

    @property
    def obstacles(self) -> Sequence[str]:
        """What stands against being ready."""
        found = [str(held) for held in self.held.values() if not held.is_outage]
        found += [f"letters held: {what} ({why})" for what, why in self.letters_held.items()]
        if not self.has_joined:
            found.append("starting: the group is not joined yet")
        if self.is_draining:
            found.append("draining")
        return found


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
