"""One run of chaos: the world of a plan, what is done to it, and what was seen in it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

from brokers import KafkaFailedError
from kafka.cluster import Committed
from kafka.offset_fetch import OffsetsNotToldError, fetch_offsets
from system.chaos import load
from system.chaos.evidence import Evidence, Incident, Kind, Reading
from system.chaos.fleet import Slot
from system.chaos.laws import Violation
from system.chaos.plan import (
    DRAIN_SECONDS,
    TUNER_SECONDS,
    Answer,
    Crash,
    Deed,
    Disturb,
    Freeze,
    How,
    Kill,
    Plan,
    Start,
    Step,
    Stop,
)
from system.chaos.proxied_kafka import ProxiedKafka
from system.chaos.proxy import Proxy, Way
from system.chaos.story import tell
from system.deployment import Deployment, deployment

from ingestor.devkit.fake_tuner import Latency, Options, Window
from ingestor.devkit.fake_tuner.background import background
from ingestor.devkit.sample_calls import EVENT_TYPE

# A member that was killed last keeps its partitions for ten seconds; a hold pauses for a few.
RECOVERY_SECONDS = 90.0
# At the begin there is as much to do as is published in so long.
_BACKLOG_SECONDS = 5
_PACE_SECONDS = 0.3
_LOOK_SECONDS = 0.3
_BLINK_SECONDS = 0.05
_STARVED_SECONDS = 0.5
_DRIP_RATE = 20_000.0
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
SETTINGS = {
    "INGESTOR_EVENT_TYPES": EVENT_TYPE,
    "INGESTOR_DRAIN_SECONDS": str(DRAIN_SECONDS),
    "INGESTOR_BACKOFF_BASE_SECONDS": "0.1",
    "INGESTOR_BACKOFF_MAX_SECONDS": "1",
    # No event may die of chance: so many misfortunes in a row have none.
    "INGESTOR_MAX_ATTEMPTS": "25",
    "TUNER_TIMEOUT_SECONDS": str(TUNER_SECONDS),
}


class World:
    """A deployment whose every part can be hit."""

    def __init__(self, plan: Plan, kafka: ProxiedKafka, here: Deployment) -> None:
        self.plan = plan
        self.slots: list[Slot] = []
        self.seen = Evidence(time.monotonic())
        self.here = here
        self._kafka = kafka
        self._events = load.events(plan.seed)
        # Nothing is published while the broker is down: what becomes of it then is not our matter.
        self._broker_is_up = asyncio.Lock()

    def now(self) -> float:
        """Tell the seconds since the begin of the plan."""
        return time.monotonic() - self.seen.began

    async def run(self) -> None:
        """Carry out the plan, and wait until everything is well and finished again."""
        self.seen.began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            for step in self.plan.steps:
                tasks.create_task(self._do(step))
        self.here.tuner.clear_faults()
        for slot in self.slots:
            if slot.living is None:
                await slot.start()
        living = [slot.living for slot in self.slots if slot.living is not None]
        await self.here.until_finished(*living, within=RECOVERY_SECONDS)

    async def watch(self) -> None:
        """Read what the group has committed, again and again."""
        ask = partial(
            fetch_offsets,
            self._kafka.broker.address,
            self.here.group,
            self.here.topic.name,
            range(self.plan.partitions),
        )
        while True:
            asked = time.monotonic()
            with suppress(OffsetsNotToldError, OSError):  # the broker may be down
                found = await asyncio.to_thread(ask)
                committed = {n: Committed(*place) for n, place in found.items() if place[0] >= 0}
                self.seen.readings.append(Reading(asked, time.monotonic(), committed))
            for slot in self.slots:
                slot.check()
            await asyncio.sleep(_LOOK_SECONDS)

    async def watch_the_watch(self) -> None:
        """Note when this process had no time: then it served its own proxies and Tuner late."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_BLINK_SECONDS)
            now = time.monotonic()
            if now - before > _BLINK_SECONDS + _STARVED_SECONDS:
                what = f"this process had no time for {now - before:.2f} s"
                self.seen.incidents.append(Incident(Kind.STARVED, None, what, before, now))

    async def _publish(self) -> None:
        first = True
        while self.now() < self.plan.seconds:
            count = int(self.plan.rate * (_BACKLOG_SECONDS if first else _PACE_SECONDS))
            first = False
            batch = list(islice(self._events, count))
            async with self._broker_is_up:
                origins = await self.here.publish(message for message, _ in batch)
            self.seen.events |= dict(zip(origins, (event for _, event in batch), strict=True))
            await asyncio.sleep(_PACE_SECONDS)

    async def _do(self, step: Step) -> None:
        await asyncio.sleep(max(0.0, step.at - self.now()))
        await self._act(step.deed)

    async def _act(self, deed: Deed) -> None:
        match deed:
            case Start() | Kill() | Stop() | Freeze():
                slot = self.slots[deed.slot]
                async with slot.turn:
                    await self._treat(slot, deed)
            case Crash(seconds):
                await self._crash(deed, seconds)
            case Disturb(where, slot, how, seconds):
                with self._incident(Kind(where), slot, deed):
                    await self._disturb(where, slot, how, seconds)
            case Answer(fault, seconds):
                with self._incident(Kind.ANSWERS, None, deed):
                    self.here.tuner.add_faults(Window(fault=fault, seconds=seconds))
                    await asyncio.sleep(seconds)
            case unknown:
                assert_never(unknown)

    async def _treat(self, slot: Slot, deed: Start | Kill | Stop | Freeze) -> None:
        match deed:
            case Start():
                await slot.start()
            case Kill(away=away):
                with self._incident(Kind.KILL, slot.number, deed):
                    await slot.kill()
                await asyncio.sleep(away)
                await slot.start()
            case Stop(away=away):
                with self._incident(Kind.STOP, slot.number, deed):
                    await slot.stop()
                await asyncio.sleep(away)
                await slot.start()
            case Freeze(seconds=seconds):
                with self._incident(Kind.FREEZE, slot.number, deed):
                    slot.freeze()
                    await asyncio.sleep(seconds)
                    slot.thaw()
            case unknown:
                assert_never(unknown)

    async def _crash(self, deed: Deed, seconds: float) -> None:
        async with self._broker_is_up:
            with self._incident(Kind.KAFKA, None, deed):
                await asyncio.to_thread(self._kafka.broker.kill)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(self._start_broker)

    def _start_broker(self) -> None:
        """Start it; on a machine that is busy with other things that may take a second attempt."""
        try:
            self._kafka.broker.start()
        except KafkaFailedError:
            self._kafka.broker.start()

    async def _disturb(self, where: str, slot: int | None, how: How, seconds: float) -> None:
        slots = self.slots if slot is None else [self.slots[slot]]
        async with AsyncExitStack() as stack:
            for one in slots:
                proxy = one.kafka if where == "kafka" else one.tuner
                await stack.enter_async_context(_fault(proxy, how))
            await asyncio.sleep(seconds)

    @contextmanager
    def _incident(self, kind: Kind, slot: int | None, deed: Deed) -> Iterator[None]:
        incident = Incident(kind, slot, str(deed), time.monotonic())
        self.seen.incidents.append(incident)
        yield
        incident.ended = time.monotonic()

    async def collect(self) -> Evidence:
        """Give what was seen, once all is over."""
        seen = self.seen
        seen.letters = [(letter.origin, letter.reason) for letter in await self.here.letters()]
        links = {slot.number: slot.tuner.links for slot in self.slots}
        seen.sort(self.here.tuner.requests, links)
        return seen


def _fault(proxy: Proxy, how: How) -> AbstractAsyncContextManager[object]:
    match how:
        case How.REFUSE:
            return proxy.refusing()
        case How.STALL:
            return proxy.stalling()
        case How.NO_ANSWERS:
            return proxy.stalling(Way.TO_CLIENT)
        case How.FORGET:
            return proxy.forgetting()
        case How.DRIP:
            return proxy.dripping(_DRIP_RATE)
        case How.CUT:
            return nullcontext(proxy.cut())
        case How.ORPHAN:
            return nullcontext(proxy.orphan())
        case unknown:
            assert_never(unknown)


@asynccontextmanager
async def world(
    plan: Plan, kafka: ProxiedKafka, environ: Mapping[str, str] = NO_SETTINGS
) -> AsyncIterator[World]:
    """Build the world of *plan* on *kafka*, with services that have *environ* too; every one of
    them ends with the block.
    """
    options = Options(
        latency=Latency(median=0.12, spread=0.7), faults=tuple(plan.faults), keep_bodies=0
    )
    async with (
        deployment(kafka.cluster, options, partitions=plan.partitions) as here,
        AsyncExitStack() as proxies,
        background() as tasks,
    ):
        it = World(plan, kafka, here)
        tuner_port = int(here.tuner.url.rpartition(":")[2])
        for number in range(plan.slots):
            door = kafka.doors[number]
            own = {"KAFKA_GROUP_INSTANCE_ID": f"slot-{number}"} if plan.is_static else {}
            it.slots.append(
                Slot(
                    number,
                    {**here.environ, **SETTINGS, **environ, **own},
                    await proxies.enter_async_context(
                        Proxy(door.behind, door.advertised).serving()
                    ),
                    await proxies.enter_async_context(Proxy(tuner_port).serving()),
                    tasks,
                )
            )
        tasks.start(it.watch())
        tasks.start(it.watch_the_watch())
        yield it


def keep(it: World, broken: list[Violation], file: Path) -> str:
    """Tell the story of *it*; write it, with all that the services said, into *file*."""
    story = tell(it.plan, it.seen, broken)
    lives = [life for slot in it.slots for life in slot.lives]
    began = it.seen.began
    said = "\n".join(
        f"\nslot {life.slot} from {life.began - began:.2f} on\n{life.running.said}"
        for life in lives
    )
    file.write_text(f"{story}\n{said}")
    return f"{story}\n(with the services' logs: {file})"
