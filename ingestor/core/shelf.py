"""Decides which letters somebody looks for, and keeps each of them once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingestor.core.letter import PREFIX, Letter
from ingestor.core.parts import Joining, Source, source


def said(letter: Letter) -> dict[str, str]:
    """Read what we said of the failure, by the names of the headers without our prefix."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode("utf-8", "replace")
        for name, value in letter.headers
        if name.startswith(PREFIX)
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Letters of one *reason*, one *call_id*, one *place* (topic/partition/offset); None is any."""

    reason: str | None = None
    call_id: str | None = None
    place: str | None = None

    def has(self, letter: Letter) -> bool:
        """Whether *letter*, or a part of it, is one of them."""
        found, whose = said(letter), source(letter)
        return (
            self.reason in (None, found.get("reason"))
            and self.call_id in (None, found.get("call-id"))
            and self.place in (None, str(whose))
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, whole, and how many *bytes* its value has (None when it has no value)."""

    letter: Letter
    bytes: int | None


class Shelf:
    """Takes letters as they are read, and keeps the last of each source; their values only when
    *keeps_values*.
    """

    def __init__(self, wanted: Wanted, *, keeps_values: bool = False) -> None:
        self._wanted = wanted
        self._keeps_values = keeps_values
        self._joining = Joining()
        self._found: dict[Source | int, Found] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Found]:
        """Yield them in the order in which each first came."""
        return iter(self._found.values())

    @property
    def incomplete(self) -> int:
        """How many letters came only in part."""
        return len(self._joining.incomplete)

    def put(self, letter: Letter) -> None:
        """Take a letter, or a part of one."""
        if not self._wanted.has(letter):
            return
        whole = self._joining.add(letter)
        if whole is not None:
            size = None if whole.value is None else len(whole.value)
            kept = whole if self._keeps_values else replace(whole, value=None)
            self._found[source(whole) or len(self._found)] = Found(kept, size)
