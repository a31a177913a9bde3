"""Builds the service, and owns the lifetimes of its parts and the order in which they stop."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress

from ingestor import __version__, assembly
from ingestor.core.guard import Guard
from ingestor.core.offsets import Offsets
from ingestor.core.stack import describe
from ingestor.edge.clock import SystemClock, SystemDice
from ingestor.edge.collector import sweep
from ingestor.edge.credentials import Keyring
from ingestor.edge.health import Health
from ingestor.edge.kafka_fence import FencedError
from ingestor.edge.kafka_letters import KafkaLetters
from ingestor.edge.kafka_source import KafkaSource
from ingestor.edge.logs import Log, configure
from ingestor.edge.metrics import Metrics, Readings
from ingestor.edge.observer import ServiceObserver
from ingestor.edge.operations import operations
from ingestor.edge.signals import hang_up_signal, stop_signals
from ingestor.edge.tuners import open_tuner
from ingestor.flow import pipeline as road
from ingestor.flow.assignments import Assignments
from ingestor.flow.backlogs import Backlogs
from ingestor.flow.burial import Burial
from ingestor.flow.committer import Committer
from ingestor.flow.crew import Crew, end
from ingestor.flow.delivery import Delivery
from ingestor.flow.gate import Gate
from ingestor.flow.held_letters import HeldLetters
from ingestor.flow.intake import Intake
from ingestor.flow.lease import Lease
from ingestor.flow.notices import Notices
from ingestor.flow.pipeline import Pipeline
from ingestor.flow.ports import Keys, Tuner
from ingestor.flow.room import Room
from ingestor.flow.slots import Slots
from ingestor.settings import Settings

CLOSING_SECONDS = 2.0
# What takes records in may have to wait for a client that connects, and to stop it.
ENDING_SECONDS = 4.0
DRAINED, BUG, LOST, UNFIT = 0, 1, 1, 2
IS_COMPILED = not road.__file__.endswith(".py")
FENCED = "another process has joined with this KAFKA_GROUP_INSTANCE_ID: give each its own"


async def run(settings: Settings) -> int:
    """Serve until a signal asks for a drain; return the exit code."""
    log = configure(settings.ingestor.log_level, settings.ingestor.log_format)
    metrics, health = Metrics(__version__), Health()
    observer = ServiceObserver(log, metrics, health)
    host, port = settings.ingestor.ops_host, settings.ingestor.ops_port
    connection, wire = assembly.connection(settings), assembly.wire(settings)
    source = KafkaSource(connection, assembly.subscription(settings), observer)
    letters = KafkaLetters(
        connection, settings.kafka.dead_letter_topic, sources=settings.kafka.topics
    )
    keys = Keyring(assembly.credentials(settings), observer)
    async with (
        operations(host, port, health, metrics) as open_port,
        open_tuner(wire, keys.headers) as tuner,
    ):
        observer.changed(
            "started",
            version=__version__,
            ops_port=open_port,
            wire=wire.kind.value,
            compiled=IS_COMPILED,
        )
        service = Service(
            settings,
            source=source,
            letters=letters,
            tuner=tuner,
            keys=keys,
            observer=observer,
            metrics=metrics,
        )
        code = await _serve(service, settings, log)
        await _within(letters.close())
        await _within(source.close())
        observer.changed("stopped", exit_code=code)
    return code


async def _serve(service: "Service", settings: Settings, log: Log) -> int:
    """Have *service* run until a signal; what ends it otherwise is said."""
    code = DRAINED
    try:
        with stop_signals() as stop, hang_up_signal(service.held_letters.release):
            code = await service.run(stop)
    except* FencedError:
        log.critical("fenced", instance_id=settings.kafka.group_instance_id, remedy=FENCED)
        code = LOST
    except* Exception as bugs:  # noqa: BLE001 - said, and the process ends with it
        for bug in bugs.exceptions:
            log.critical("bug", error=describe(bug))
        code = BUG
    return code


class Service:
    """The parts, joined."""

    def __init__(
        self,
        settings: Settings,
        *,
        source: KafkaSource,
        letters: KafkaLetters,
        tuner: Tuner,
        keys: Keys,
        observer: ServiceObserver,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._source = source
        self._letters = letters
        self._tuner = tuner
        self._keys = keys
        self._observer = observer
        self._metrics = metrics
        self._clock = SystemClock()
        self._dice = SystemDice()
        self._code = DRAINED
        self._offsets = Offsets()
        given = settings.ingestor
        self._slots = Slots(self._clock, given.max_concurrency, given.max_rate)
        self._lease = Lease(self._clock, observer, assembly.lease_seconds(settings))
        self._room = Room(assembly.bounds(settings))
        self._notices = Notices(self._clock, observer)
        self.held_letters = HeldLetters(
            Guard(assembly.letter_limits(settings)), self._clock, observer, self._notices
        )

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until *stop*, or until there is no topic for letters; then come to rest: stop
        taking, drain, commit. Return the exit code.
        """
        clock, offsets, observer = self._clock, self._offsets, self._observer
        async with asyncio.TaskGroup() as tasks:
            crew = Crew(tasks, clock)
            committer = Committer(source=self._source, offsets=offsets, clock=clock)
            burial = self._burial(crew)
            pipeline = self._pipeline(crew, committer, burial)
            self._source.serve(self._assignments(pipeline, committer))
            intake = Intake(
                source=self._source, pipeline=pipeline, offsets=offsets, room=self._room
            )
            self._metrics.read(self._readings())
            taking = tasks.create_task(intake.run())
            others = [
                tasks.create_task(work)
                for work in (committer.run(), self._see_to_letters(burial, stop), *self._upkeep())
            ]
            try:
                await stop.wait()
            except asyncio.CancelledError:
                crew.close()  # or the slots that are given back would go to those who wait
                raise
            observer.changed("draining")
            taking.cancel()
            cut_off = await pipeline.drain(self._settings.ingestor.drain_seconds)
            for task in others:
                task.cancel()
            await _within(committer.commit())
            observer.changed("drained", cut_off=cut_off, uncommitted=offsets.untold())
            await end((taking, *others), ENDING_SECONDS)
        return self._code

    def _upkeep(self) -> tuple[Coroutine[None, None, None], ...]:
        """Give what goes on beside the records."""
        return self._clock.watch(), self._backlogs().run(), self._notices.run(), sweep()

    def _backlogs(self) -> Backlogs:
        return Backlogs(
            source=self._source,
            offsets=self._offsets,
            clock=self._clock,
            observer=self._observer,
        )

    async def _see_to_letters(self, burial: Burial, stop: asyncio.Event) -> None:
        """Stop when letters would not be safe where they go."""
        if unfit := await burial.prepare():
            self._observer.changed("dead_letter_topic_unfit", why=unfit.why)
            self._code = UNFIT
            stop.set()

    def _burial(self, crew: Crew) -> Burial:
        return Burial(
            letters=self._letters,
            crew=crew,
            clock=self._clock,
            dice=self._dice,
            observer=self._observer,
            notices=self._notices,
        )

    def _pipeline(self, crew: Crew, committer: Committer, burial: Burial) -> Pipeline:
        clock, dice, observer = self._clock, self._dice, self._observer
        delivery = Delivery(
            tuner=self._tuner,
            keys=self._keys,
            gate=Gate(clock, dice, self._notices),
            slots=self._slots,
            lease=self._lease,
            crew=crew,
            patience=assembly.patience(self._settings),
            clock=clock,
            dice=dice,
            observer=observer,
        )
        return Pipeline(
            decoder=assembly.decoder(self._settings),
            router=assembly.router(self._settings),
            delivery=delivery,
            burial=burial,
            held_letters=self.held_letters,
            offsets=self._offsets,
            committer=committer,
            room=self._room,
            crew=crew,
            clock=clock,
            observer=observer,
            version=__version__,
        )

    def _assignments(self, pipeline: Pipeline, committer: Committer) -> Assignments:
        return Assignments(
            pipeline=pipeline,
            committer=committer,
            offsets=self._offsets,
            lease=self._lease,
            observer=self._observer,
            drain_seconds=self._settings.ingestor.drain_seconds,
        )

    def _readings(self) -> Readings:
        return Readings(
            slots_in_use=lambda: self._slots.in_use,
            slots_limit=lambda: self._slots.limit,
            waiting_records=lambda: self._room.records,
            waiting_bytes=lambda: self._room.bytes,
            is_member=lambda: self._lease.is_valid,
        )


async def _within(work: Awaitable[None]) -> None:
    """Give *work* a little time: what must end, ends."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_SECONDS):
            await work
