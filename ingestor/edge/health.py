"""Whether the service is ready, and if not, why."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ingestor.core.notice import Kind, Matter, Notice


class Health:
    """Ready once the group was joined; not while draining, and not while something is held by our
    own fault.

    An outage of Tuner or of Kafka leaves it ready: a deploy has to be able to roll meanwhile.
    """

    def __init__(self) -> None:
        self.has_joined = False
        self.is_draining = False
        self.held: dict[Matter, Notice] = {}

    @property
    def obstacles(self) -> Sequence[str]:
        """What stands against being ready."""
        found = [
            describe(notice)
            for notice in self.held.values()
            if notice.matter.kind is not Kind.OUTAGE
        ]
        if not self.has_joined:
            found.append("starting: the group is not joined yet")
        if self.is_draining:
            found.append("draining")
        return found


def describe(notice: Notice) -> str:
    """Say all of *notice* in words."""
    state = notice.matter.kind.value.replace("_", " ")
    since = _instant(notice.since)
    return f"{state}: {notice.matter.what} ({notice.cause}) since {since}: {notice.remedy}"


def fields(notice: Notice) -> Mapping[str, object]:
    """Say all of *notice*, for a log."""
    return {
        "state": notice.matter.kind.value,
        "what": notice.matter.what,
        "cause": notice.cause,
        "since": _instant(notice.since),
        "remedy": notice.remedy,
        "waiting": notice.waiting,
    }


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
