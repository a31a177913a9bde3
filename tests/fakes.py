"""The world as the flow sees it, made of memory: a Tuner, a Kafka and an audience that do what they
are told and remember what they saw.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fake_clock import FakeClock, LoadedDice

from ingestor.core.answer import Answer, Answered
from ingestor.core.backlog import Backlog
from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.core.memo import NO_MEMOS, Memo, read, write
from ingestor.core.notice import Matter, Notice
from ingestor.core.outcome import Outcome
from ingestor.core.record import Partition, Record
from ingestor.core.route import Route
from ingestor.core.starts import Start
from ingestor.flow.ports import Clock

__all__ = [
    "CREATED",
    "FakeClock",
    "FakeKeys",
    "FakeLetters",
    "FakeSource",
    "FakeTuner",
    "Latch",
    "LoadedDice",
    "Posted",
    "RecordingObserver",
]

# How long a source waits for records before it comes back without any, in virtual seconds.
MOMENT = 0.2
CREATED = Answered(201, b'{"id": 1, "is_new": true}')


class Latch:
    """Holds back whoever comes by, by name or all of them, until released."""

    def __init__(self) -> None:
        self._held: dict[str | None, asyncio.Event] = {}

    @property
    def is_holding(self) -> bool:
        """Whether anybody is held back, or would be."""
        return bool(self._held)

    def hold(self, *names: str) -> None:
        """Hold back *names*; everybody when none is given."""
        for name in names or (None,):
            self._held.setdefault(name, asyncio.Event())

    def release(self, *names: str) -> None:
        """Let *names* go, those who wait now and those who come; everybody when none is given."""
        for name in names or list(self._held):
            self._held.pop(name).set()

    async def passage(self, name: str | None = None) -> None:
        """Wait as long as *name* is held back; always let the others run, as real I/O does."""
        await asyncio.sleep(0)
        if held := self._held.get(name) or self._held.get(None):
            await held.wait()


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that reached the fake Tuner."""

    call_id: str
    body: bytes
    route: Route


def created(_: Posted) -> Answer:
    """Answer that the call is stored."""
    return CREATED


class FakeTuner(Latch):
    """A Tuner that answers by *script*, for each call_id one answer after the other, and otherwise
    by a function; *received* is what reached it, *stored* what it answered with 2xx or 409.
    """

    def __init__(
        self,
        script: Mapping[str, Iterable[Answer]] | None = None,
        answer: Callable[[Posted], Answer] = created,
    ) -> None:
        super().__init__()
        self.answer = answer
        self.received: list[Posted] = []
        self.stored: list[str] = []
        self.under_way: Counter[str] = Counter()
        self.most_under_way = 0
        self.most_under_way_of: Counter[str] = Counter()
        self._script = {call_id: list(answers) for call_id, answers in (script or {}).items()}

    @property
    def call_ids(self) -> list[str]:
        """The calls in the order in which they were received."""
        return [posted.call_id for posted in self.received]

    async def post(self, body: bytes, route: Route) -> Answer:
        """Take a request, and answer it when the answer is not held back."""
        posted = Posted(json.loads(body)["call_id"], body, route)
        self.received.append(posted)
        name = posted.call_id
        self.under_way[name] += 1
        self.most_under_way = max(self.most_under_way, self.under_way.total())
        self.most_under_way_of[name] = max(self.most_under_way_of[name], self.under_way[name])
        try:
            await self.passage(name)
            return self._answer(posted)
        finally:
            self.under_way[name] -= 1

    def _answer(self, posted: Posted) -> Answer:
        answers = self._script.get(posted.call_id)
        answer = answers.pop(0) if answers else self.answer(posted)
        if isinstance(answer, Answered) and (answer.status // 100 == 2 or answer.status == 409):
            self.stored.append(posted.call_id)
        return answer


class FakeKeys(Latch):
    """Keys that are always the same; *refreshed* names the credentials that were read again."""

    def __init__(self) -> None:
        super().__init__()
        self.refreshed: list[str] = []

    async def refresh(self, credential: str) -> None:
        """Read a key again, when the file system lets it."""
        self.refreshed.append(credential)
        await self.passage(credential)


class FakeLetters(Latch):
    """A dead-letter topic: *sent* is what it acknowledged, *tried* every attempt to write.

    *condition* is what is found whenever somebody looks at it, *looks* how often that was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.condition: Prepared | Unfit | NotWritten = Prepared()
        self.looks = 0
        self.sent: list[Letter] = []
        self.tried: list[Letter] = []
        self._refusals = 0
        self._problem = NotWritten("")

    def refuse(
        self,
        times: int = 1_000_000,
        cause: str = "NotLeader",
        remedy: str = "",
        *,
        is_letters_own: bool = False,
    ) -> None:
        """Refuse the next *times* letters."""
        self._refusals = times
        self._problem = NotWritten(cause, remedy, is_letters_own)

    def accept(self) -> None:
        """Refuse no more."""
        self._refusals = 0

    async def prepare(self) -> Prepared | Unfit | NotWritten:
        """Say how it stands."""
        self.looks += 1
        return self.condition

    async def write(self, letter: Letter) -> NotWritten | None:
        """Keep *letter*, or say why not."""
        self.tried.append(letter)
        await self.passage()
        if self._refusals:
            self._refusals -= 1
            return self._problem
        self.sent.append(letter)
        return None


class FakeSource(Latch):
    """Topics and the one member that reads them; a hold keeps the acknowledgements of commits back.

    At *most* so many records are handed out at a time. *asked* is what was asked for, *tried* every
    attempt to commit, *committed* what was acknowledged, *metadata* what came with it.
    """

    def __init__(self, clock: Clock, moment: float = MOMENT) -> None:
        super().__init__()
        self.most = 500
        self.asked: list[frozenset[Partition]] = []
        self.tried: list[dict[Partition, int]] = []
        self.committed: dict[Partition, int] = {}
        self.metadata: dict[Partition, str] = {}
        self.commits_under_way = self.most_commits_under_way = 0
        self.is_silent = False
        self._is_shut = False
        self._clock = clock
        self._patience = moment
        self._log: dict[Partition, list[Record]] = {}
        self._positions: dict[Partition, int] = {}
        self._refusals = 0
        self._news = asyncio.Event()

    def publish(self, *records: Record) -> None:
        """Append *records* to their partitions."""
        for record in records:
            self._log.setdefault(record.origin, []).append(record)
        self._news.set()

    def join(self, *partitions: Partition) -> Mapping[Partition, Start]:
        """Own *partitions*, and only these, and read each from what is committed."""
        self._positions = {name: self.committed.get(name, 0) for name in partitions}
        self._is_shut = False
        return {
            name: Start(offset, read(self.metadata.get(name, ""), offset))
            for name, offset in self._positions.items()
        }

    def told(self, partition: Partition) -> list[int]:
        """List the offsets beyond the committed one that are told to be finished."""
        memo = read(self.metadata.get(partition, ""), self.committed.get(partition, 0))
        return [at for it in (memo.stretches if memo else ()) for at in range(it.begin, it.end)]

    def shut(self) -> None:
        """Hand nothing out until partitions are joined again."""
        self._is_shut = True

    def refuse(self, times: int = 1) -> None:
        """Refuse the next *times* commits."""
        self._refusals = times

    async def take(self, partitions: Collection[Partition], most: int = 500) -> Sequence[Record]:
        """Hand out what follows in *partitions*, waiting a moment for it."""
        wanted = frozenset(partitions)
        self.asked.append(wanted)
        if not (records := self._next(wanted, most)):
            await self._moment()
            records = self._next(wanted, most)
        return records

    async def commit(
        self, offsets: Mapping[Partition, int], memos: Mapping[Partition, Memo] = NO_MEMOS
    ) -> bool:
        """Remember *offsets* and *memos*, or refuse them; those of others are refused always."""
        self.tried.append(dict(offsets))
        self.commits_under_way += 1
        self.most_commits_under_way = max(self.most_commits_under_way, self.commits_under_way)
        try:
            await self.passage()
        finally:
            self.commits_under_way -= 1
        if self._refusals:
            self._refusals -= 1
            return False
        for name in offsets.keys() & self._positions.keys():
            self.committed[name] = offsets[name]
            self.metadata[name] = write(memos[name]) if name in memos else ""
        return offsets.keys() <= self._positions.keys()

    async def ends(self) -> Mapping[Partition, int]:
        """Tell where our partitions end, unless silent."""
        await asyncio.sleep(0)
        return {} if self.is_silent else {name: self._end(name) for name in self._positions}

    def _end(self, partition: Partition) -> int:
        log = self._log.get(partition)
        return log[-1].offset + 1 if log else 0

    def _next(self, wanted: Collection[Partition], most: int) -> list[Record]:
        records: list[Record] = []
        for partition in () if self._is_shut else sorted(self._positions.keys() & wanted):
            at = self._positions[partition]
            room = min(self.most, most) - len(records)
            batch = [it for it in self._log.get(partition, ()) if it.offset >= at][:room]
            if batch:
                self._positions[partition] = batch[-1].offset + 1
            records += batch
        return records

    async def _moment(self) -> None:
        self._news.clear()
        timer = self._clock.call_later(self._patience, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()


class RecordingObserver:
    """Somebody who looks on and remembers everything."""

    def __init__(self) -> None:
        self.attempts: list[tuple[Answer, float]] = []
        self.endings: list[tuple[Record, Outcome]] = []
        self.notices: list[Notice] = []
        self.reminders: list[Sequence[Notice]] = []
        self.lifts: list[str] = []
        self.backlogs: list[Mapping[Partition, Backlog]] = []
        self.changes: list[tuple[str, dict[str, object]]] = []

    def attempted(self, answer: Answer, seconds: float) -> None:
        """Remember an attempt."""
        self.attempts.append((answer, seconds))

    def ended(self, record: Record, outcome: Outcome) -> None:
        """Remember an ending."""
        self.endings.append((record, outcome))

    @property
    def holds(self) -> Sequence[tuple[str, str]]:
        """Name what was held, each with its cause."""
        return [(notice.matter.what, notice.cause) for notice in self.notices]

    def held(self, notice: Notice) -> None:
        """Remember that a hold began."""
        self.notices.append(notice)

    def still_held(self, notices: Sequence[Notice]) -> None:
        """Remember the reminder."""
        self.reminders.append(notices)

    def lifted(self, matter: Matter) -> None:
        """Remember that a hold ended."""
        self.lifts.append(matter.what)

    def behind(self, backlogs: Mapping[Partition, Backlog]) -> None:
        """Remember the backlogs."""
        self.backlogs.append(backlogs)

    def changed(self, event: str, **fields: object) -> None:
        """Remember a change."""
        self.changes.append((event, fields))
