"""Whether the service is ready, and if not, why."""

from collections.abc import Sequence

from ingestor.core.holds import Key


class Health:
    """Ready once the group was joined; not while draining, and not while something is held by our
    own fault.

    An outage of Tuner or of Kafka leaves it ready: a deploy has to be able to roll meanwhile.
    """

    def __init__(self) -> None:
        self.has_joined = False
        self.is_draining = False
        self.held: dict[Key, str] = {}
        self.letters_held: dict[str, str] = {}

    @property
    def obstacles(self) -> Sequence[str]:
        """What stands against being ready."""
        found = [f"held: {key} ({cause})" for key, cause in self.held.items()]
        found += [f"letters held: {what} ({why})" for what, why in self.letters_held.items()]
        if not self.has_joined:
            found.append("starting: the group is not joined yet")
        if self.is_draining:
            found.append("draining")
        return found
