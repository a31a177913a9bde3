"""Who is told of what changes at the edge."""

from typing import Protocol


class Watch(Protocol):
    """Those who look on."""

    def changed(self, event: str, **fields: object) -> None:
        """Note a change of state, by a stable name."""
        ...
