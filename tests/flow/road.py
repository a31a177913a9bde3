"""The whole flow, joined as the service joins it, between fakes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Any, TypeVar

from fake_clock import FakeClock, LoadedDice, quiescence
from fakes import FakeKeys, FakeLetters, FakeSource, FakeTuner, RecordingObserver

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.core.backoff import Backoff
from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.guard import Guard, Limits
from ingestor.core.offsets import Offsets
from ingestor.core.outcome import Dead, Delivered, Duplicate
from ingestor.core.record import Header, Partition, Record
from ingestor.core.route import Destination, Route
from ingestor.core.routing import Router
from ingestor.flow.assignments import Assignments
from ingestor.flow.backlogs import Backlogs
from ingestor.flow.burial import Burial
from ingestor.flow.committer import Committer
from ingestor.flow.crew import Crew
from ingestor.flow.delivery import Delivery, Patience
from ingestor.flow.gate import Gate
from ingestor.flow.held_letters import HeldLetters
from ingestor.flow.intake import Intake
from ingestor.flow.lease import Lease
from ingestor.flow.notices import Notices
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.room import Bounds, Room
from ingestor.flow.slots import Slots

T = TypeVar("T")
Work = Coroutine[Any, Any, Any]

TOPIC = "calls"
P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)
DESTINATION = Destination("https://tuner.test", "default")
ROUTE = Route(DESTINATION, "7", "front-desk")

REFUSAL = Answered(422, b'{"detail": [{"type": "missing", "loc": ["body", "call_type"]}]}')
CONFLICT = Answered(409)
BROKEN = Answered(500)
UNAUTHORIZED = Answered(401)
FORBIDDEN = Answered(403)
UNKNOWN = Answered(404, b'{"detail": "no such agent"}')
NOT_TUNER = Answered(200, b"<html>")
TIMEOUT = Unanswered(Fault.TIMEOUT)
UNREACHABLE = Unanswered(Fault.CONNECT)


def busy_for(seconds: int) -> Answered:
    """Answer that Tuner is to be left alone."""
    return Answered(429, retry_after=str(seconds))


def body(call_id: str) -> bytes:
    """Write a body that is valid in every respect."""
    row = {"role": "agent", "text": "Hello.", "start_ms": 0, "end_ms": 900}
    fields = {
        "call_id": call_id,
        "call_type": "phone_call",
        "start_timestamp": 1_781_108_000,
        "end_timestamp": 1_781_108_062,
        "recording_url": "https://media.example/1.wav",
        "transcript_with_tool_calls": [row],
    }
    return json.dumps(fields).encode()


def call(call_id: str = "a") -> Call:
    """Make a call."""
    return Call(call_id, body(call_id))


def record(
    call_id: str = "a",
    offset: int = 0,
    *,
    partition: int = 0,
    value: bytes | None = b"",
    workspace: str | None = None,
    agent: str | None = None,
) -> Record:
    """Make the record of a call, or of any other *value*; the ids are what its event itself says
    of its route.
    """
    said = {"tuner-workspace-id": workspace, "tuner-agent-id": agent}
    headers: tuple[Header, ...] = tuple((name, it.encode()) for name, it in said.items() if it)
    value = body(call_id) if value == b"" else value
    return Record(Partition(TOPIC, partition), offset, 1_781_108_062_000, None, value, headers)


def records(*call_ids: str, partition: int = 0) -> list[Record]:
    """Make one record after the other."""
    return [record(name, offset, partition=partition) for offset, name in enumerate(call_ids)]


class Yard(asyncio.TaskGroup):
    """A task group that ends its tasks when its block ends, so that a test need not; *wrap* is put
    around each coroutine.
    """

    def __init__(self, wrap: Callable[[Any], Work] | None = None) -> None:
        super().__init__()
        self.started: list[asyncio.Task[Any]] = []
        self.is_ending = False
        self._wrap = wrap

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start *work* as it is."""
        task = super().create_task(work)
        self.started.append(task)
        return task

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """Start *coro*, wrapped."""
        assert name is None
        assert context is None
        return self.start(self._wrap(coro) if self._wrap else coro)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every task; an error of the block alone is raised as it is."""
        self.is_ending = True
        for task in self.started:
            task.cancel()
        try:
            await super().__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            if group.exceptions != (error,):
                raise


LARGE = Bounds(1_000, 2**20)
BACKOFF = Backoff(1.0, 8.0)


@dataclass(frozen=True, slots=True)
class Measures:
    """The sizes of a road; it has no letter guard unless *letters* gives it limits."""

    slots: int = 64
    rate: float | None = None
    room: Bounds = LARGE
    attempts: int = 3
    backoff: Backoff = BACKOFF
    drain_seconds: float = 20.0
    letters: Limits | None = None
    lease_seconds: float = inf


class Road:
    """Every part of the flow, and the world around it."""

    def __init__(
        self,
        yard: Yard,
        *,
        tuner: FakeTuner,
        letters: FakeLetters,
        measures: Measures,
        decoder: Decoder,
        offsets: Offsets,
        dice: LoadedDice,
    ) -> None:
        self.yard = yard
        self.tuner = tuner
        self.letters = letters
        self.offsets = offsets
        self.dice = dice
        self.clock = clock = FakeClock()
        self.source = source = FakeSource(clock)
        self.observer = observer = RecordingObserver()
        self.slots = Slots(clock, measures.slots, measures.rate)
        self.room = Room(measures.room)
        self.keys = FakeKeys()
        self.notices = Notices(clock, observer)
        self.gate = Gate(clock, dice, self.notices)
        self.crew = crew = Crew(yard, clock)
        self.lease = Lease(clock, observer, measures.lease_seconds)
        self.lease.renew(0.0)
        self.committer = Committer(source=source, offsets=offsets, clock=clock)
        self.delivery = Delivery(
            tuner=tuner,
            keys=self.keys,
            gate=self.gate,
            slots=self.slots,
            lease=self.lease,
            crew=crew,
            patience=Patience(measures.attempts, measures.backoff),
            clock=clock,
            dice=dice,
            observer=observer,
        )
        self.burial = Burial(
            letters=letters,
            crew=crew,
            clock=clock,
            dice=dice,
            observer=observer,
            notices=self.notices,
        )
        self.held_letters = HeldLetters(Guard(measures.letters), clock, observer, self.notices)
        self.pipeline = Pipeline(
            decoder=decoder,
            router=Router(DESTINATION, workspace="7", agent="front-desk"),
            delivery=self.delivery,
            burial=self.burial,
            held_letters=self.held_letters,
            offsets=offsets,
            committer=self.committer,
            room=self.room,
            crew=crew,
            clock=clock,
            observer=observer,
            version="1.2.3",
        )
        self.assignments = Assignments(
            pipeline=self.pipeline,
            committer=self.committer,
            offsets=offsets,
            lease=self.lease,
            observer=observer,
            drain_seconds=measures.drain_seconds,
        )
        self.intake = Intake(source=source, pipeline=self.pipeline, offsets=offsets, room=self.room)
        self.backlogs = Backlogs(source=source, offsets=offsets, clock=clock, observer=observer)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run *work* beside the test."""
        return self.yard.start(work)

    def begin(self, *partitions: Partition) -> None:
        """Begin an assignment of *partitions*, as a rebalance does."""
        self.lease.renew(0.0)
        self.assignments.begin(self.source.join(*(partitions or (P0,))))

    async def end(self) -> None:
        """End the assignment, as a rebalance does: nothing more is taken, then all is given up."""
        self.source.shut()
        await self.assignments.end()

    def admit(self, *records: Record) -> None:
        """Hand *records* to the pipeline."""
        for each in records:
            self.pipeline.admit(each)

    async def deliver(self, call: Call, route: Route) -> Delivered | Duplicate | Dead | None:
        """Deliver *call*, which has no slot yet."""
        slot = self.slots.slot(route.destination)
        return await self.delivery.deliver(call, self.delivery.way(route), slot)

    async def carry(self, *records: Record) -> None:
        """Have *records* be on the wire, as far as there is room: Tuner keeps its answers back."""
        self.begin()
        self.tuner.hold()
        self.admit(*records)
        await quiescence()

    async def release(self) -> None:
        """Let Tuner answer."""
        self.tuner.release()
        await quiescence()

    async def drain(self) -> asyncio.Task[int]:
        """Begin a drain of 20 seconds."""
        drain = self.start(self.pipeline.drain(20.0))
        await quiescence()
        return drain

    @property
    def finished(self) -> list[int]:
        """The offsets of the records that are finished."""
        return sorted(record.offset for record, _ in self.observer.endings)

    def mark(self, partition: Partition = P0) -> int:
        """Read the offset that may be committed."""
        return self.offsets.ledgers()[partition].mark


@asynccontextmanager
async def open_road(
    tuner: FakeTuner | None = None,
    measures: Measures | None = None,
    *,
    letters: FakeLetters | None = None,
    decoder: Decoder | None = None,
    offsets: Offsets | None = None,
    dice: LoadedDice | None = None,
    wrap: Callable[[Any], Work] | None = None,
) -> AsyncIterator[Road]:
    """Open a road on which nothing is assigned yet."""
    async with Yard(wrap) as yard:
        road = Road(
            yard,
            tuner=tuner or FakeTuner(),
            letters=letters or FakeLetters(),
            measures=measures or Measures(),
            decoder=decoder or Decoder(Reading()),
            offsets=offsets or Offsets(),
            dice=dice or LoadedDice(0.5),
        )
        try:
            yield road
        finally:
            road.crew.close()
