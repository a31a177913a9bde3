"""What the flow needs of the world."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from ingestor.core.answer import Answer
from ingestor.core.backlog import Backlog
from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.core.memo import NO_MEMOS, Memo
from ingestor.core.notice import Matter, Notice
from ingestor.core.outcome import Outcome
from ingestor.core.record import Partition, Record
from ingestor.core.route import Route


class Timer(Protocol):
    """A call to come."""

    def cancel(self) -> None:
        """Take it back."""
        ...


class Clock(Protocol):
    """Time; all of it in seconds."""

    def now(self) -> float:
        """Read a clock that never goes back."""
        ...

    def wall(self) -> float:
        """Read the time since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Make *call* after *seconds*."""
        ...


class Dice(Protocol):
    """Chance."""

    def roll(self) -> float:
        """Draw evenly from [0, 1)."""
        ...


class Source(Protocol):
    """The topics, as one member of a consumer group reads them."""

    async def take(self, partitions: Collection[Partition], most: int) -> Sequence[Record]:
        """Wait a moment for records of *partitions* that are ours, about as many as *most*; with
        none of them only the membership is kept.
        """
        ...

    async def commit(
        self, offsets: Mapping[Partition, int], memos: Mapping[Partition, Memo] = NO_MEMOS
    ) -> bool:
        """Commit *offsets*, each with its memo if there is one; False when the broker did not
        acknowledge them in time or refused.
        """
        ...

    async def ends(self) -> Mapping[Partition, int]:
        """Ask where our partitions end; of those for which there was no answer nothing is said."""
        ...


class Tuner(Protocol):
    """Tuner's Create Call."""

    async def post(self, body: bytes, route: Route) -> Answer:
        """Post *body*, once, unless the answer says that it is a repeat's; every foreseeable
        failure is an answer.
        """
        ...


class Keys(Protocol):
    """The keys that open Tuner."""

    async def refresh(self, credential: str) -> None:
        """Read the key of *credential* again where it is kept, so that a new one is used at once;
        without one the old one stays.
        """
        ...


class Letters(Protocol):
    """The dead-letter topic."""

    async def prepare(self) -> Prepared | Unfit | NotWritten:
        """See that it is there and fit for letters; make it if it is missing and may be made."""
        ...

    async def write(self, letter: Letter) -> NotWritten | None:
        """Write *letter*; None once the broker acknowledged it."""
        ...


class Observer(Protocol):
    """Those who look on: logs, metrics, readiness."""

    def attempted(self, answer: Answer, seconds: float) -> None:
        """Note an attempt: what came of it, and how long it took."""
        ...

    def ended(self, record: Record, outcome: Outcome) -> None:
        """Note that *record* is finished and safe."""
        ...

    def held(self, notice: Notice) -> None:
        """Note that records wait: for our own fault to be mended, for a server to come back, or
        for their letters to be written.
        """
        ...

    def still_held(self, notices: Sequence[Notice]) -> None:
        """Tell again of all that waits so."""
        ...

    def lifted(self, matter: Matter) -> None:
        """Note that it goes on."""
        ...

    def behind(self, backlogs: Mapping[Partition, Backlog]) -> None:
        """Note how far behind our partitions are."""
        ...

    def changed(self, event: str, **fields: object) -> None:
        """Note any other change of state, by a stable name."""
        ...
