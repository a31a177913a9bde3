"""A deployment of the service for one test: a topic, a dead-letter topic, a group, a fake Tuner."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from kafka.cluster import Cluster, Committed, Headers, Message, Stored, Topic
from system.processes import ServiceProcess, service
from system.waiting import SECONDS, eventually

from ingestor.core.memo import read
from ingestor.devkit.fake_tuner import DEMO_KEY, Entry, FakeTuner, Options
from ingestor.devkit.sample_calls import body

Origin: TypeAlias = tuple[int, int]
"""The partition and the offset of a record."""

SMALL = 1_500
OURS = "ingestor-"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: what the service *said* of the failure, and what it left as it was."""

    said: Mapping[str, str]
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def origin(self) -> Origin:
        """Where its record stands."""
        return int(self.said["partition"]), int(self.said["offset"])

    @property
    def reason(self) -> str:
        """Why the record died."""
        return self.said["reason"]


class Deployment:
    """What a test's services share; *group* is named like the topic."""

    def __init__(self, topic: Topic, dead: Topic, tuner: FakeTuner) -> None:
        self.topic = topic
        self.dead = dead
        self.tuner = tuner
        self.group = topic.name

    @property
    def environ(self) -> dict[str, str]:
        """The five settings of a deployer, and the names that are this test's own."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.topic.cluster.address,
            "TUNER_BASE_URL": self.tuner.url,
            "TUNER_API_KEY": DEMO_KEY,
            "TUNER_WORKSPACE_ID": "1",
            "TUNER_AGENT_ID": "front-desk",
            "KAFKA_TOPICS": self.topic.name,
            "KAFKA_GROUP_ID": self.group,
            "KAFKA_DEAD_LETTER_TOPIC": self.dead.name,
        }

    def service(
        self, settings: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[ServiceProcess]:
        """Run a service beside the block; *settings* go before those of the deployment."""
        return service({**self.environ, **(settings or {})})

    async def publish(
        self, messages: Iterable[Message], settings: Mapping[str, str] | None = None
    ) -> list[Origin]:
        """Write *messages* to the topic; return where each one stands."""
        return await asyncio.to_thread(self.topic.produce, messages, settings)

    async def place(self, events: Sequence[Message]) -> dict[str, Origin]:
        """Publish *events*, and tell by the hash of its value where each one stands."""
        return dict(zip((digest(e.value) for e in events), await self.publish(events), strict=True))

    async def committed(self) -> dict[int, int]:
        """Ask for the group's committed offsets, by partition."""
        return {number: it.offset for number, it in (await self.commits()).items()}

    async def commits(self) -> dict[int, Committed]:
        """Ask for what the group committed, by partition: offsets and what is done beyond them."""
        return await asyncio.to_thread(self.topic.committed, self.group)

    async def in_flight(self, origins: Mapping[str, Origin]) -> set[str]:
        """Name, by hash, the events that were posted and that the group does not know as finished;
        *origins* say where the record of each body stands.
        """
        # In this order: what a service had sent when it was killed may just be arriving.
        commits = await self.commits()
        return in_flight(self.tuner.requests, origins, commits)

    async def ends(self) -> dict[int, int]:
        """Ask where the partitions end."""
        return await asyncio.to_thread(self.topic.end_offsets)

    async def until_finished(self, *services: ServiceProcess, within: float = SECONDS) -> None:
        """Wait until the group has committed the end of every partition; *services* have to live
        meanwhile.
        """

        ends = {number: end for number, end in (await self.ends()).items() if end}

        async def is_finished() -> bool:
            for running in services:
                running.check()
            committed = await self.committed()
            return all(committed.get(number, 0) >= end for number, end in ends.items())

        await eventually(is_finished, within, so_far=lambda: self._state(services))

    async def letters(self) -> list[Letter]:
        """Read the dead letters."""
        return [_letter(stored) for stored in await asyncio.to_thread(self.dead.read_all)]

    def _state(self, services: Sequence[ServiceProcess]) -> str:
        """Say how far things went, for a test that waited in vain."""
        summary = self.tuner.summary()
        said = "\n".join(running.said for running in services)
        return f"{summary.requests} requests, {summary.open} open, {summary.statuses}\n{said}"

    def posted(self) -> Counter[str]:
        """Count the requests for each call_id."""
        return Counter(entry.call_id or "" for entry in self.tuner.requests)

    def bodies(self) -> dict[str, bytes]:
        """Give the stored body of each call_id."""
        return {call.call_id: call.body or b"" for call in self.tuner.calls}


@asynccontextmanager
async def deployment(
    cluster: Cluster,
    options: Options | None = None,
    *,
    partitions: int = 12,
    config: Mapping[str, str] | None = None,
) -> AsyncIterator[Deployment]:
    """Make topics never used before, with *config*, and serve a fake Tuner beside the block."""
    create = partial(cluster.create_topic, config=config)
    topic = await asyncio.to_thread(create, partitions=partitions)
    dead = await asyncio.to_thread(create, f"{topic.name}.dead-letters", partitions=2)
    async with FakeTuner(options).serve() as tuner:
        yield Deployment(topic, dead, tuner)


def calls(count: int, prefix: str = "call") -> dict[str, bytes]:
    """Make the bodies of *count* good calls, by call_id."""
    names = (f"{prefix}-{number:05}" for number in range(count))
    return {name: body(name, size=SMALL) for name in names}


def messages(bodies: Mapping[str, bytes]) -> list[Message]:
    """Describe bare events, each with its call_id as the key."""
    return [message(call_id, value) for call_id, value in bodies.items()]


def message(
    call_id: str, value: bytes, headers: Headers = (), *, partition: int | None = None
) -> Message:
    """Describe an event with its call_id as the key, as publishers should."""
    return Message(value=value, key=call_id.encode(), headers=headers, partition=partition)


def _letter(stored: Stored) -> Letter:
    said = {
        name.removeprefix(OURS): (value or b"").decode()
        for name, value in stored.headers
        if name.startswith(OURS)
    }
    kept = tuple(header for header in stored.headers if not header[0].startswith(OURS))
    return Letter(said, stored.key, stored.value, kept)


def digest(value: bytes | None) -> str:
    """Hash a body as the fake Tuner's log does."""
    return hashlib.sha256(value or b"").hexdigest()


def in_flight(
    requests: Iterable[Entry], origins: Mapping[str, Origin], commits: Mapping[int, Committed]
) -> set[str]:
    """Name, by hash, the events that had been posted and were not finished by the last *commits*.

    *origins* say where the record of each body stands, *requests* what was posted.
    """
    return {
        entry.sha256
        for entry in requests
        if entry.sha256 is not None and not is_finished(origins[entry.sha256], commits)
    }


def is_finished(origin: Origin, commits: Mapping[int, Committed]) -> bool:
    """Tell whether the group knows that a record is finished: before the mark or beyond it."""
    partition, offset = origin
    committed = commits.get(partition, Committed(0, ""))
    memo = read(committed.metadata, committed.offset)
    beyond = memo.stretches if memo else ()
    return offset < committed.offset or any(it.begin <= offset < it.end for it in beyond)
