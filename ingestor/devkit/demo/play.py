"""Plays the demo from beginning to end."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingestor.devkit.demo.service import DemoFailedError, Service, Totals, running_service
from ingestor.devkit.demo.show import show_plan, show_story
from ingestor.devkit.demo.story import Story, tell
from ingestor.devkit.demo.topics import LETTERS, PARTITIONS, TOPIC, Publisher, read_letters
from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.devkit.fake_tuner import (
    DEMO_KEY,
    Delay,
    FakeTuner,
    Latency,
    Options,
    Reply,
    Reset,
    Rule,
    Script,
    Window,
)
from ingestor.devkit.sample_calls import (
    EVENT_TYPE,
    FLAKY_CALLS,
    SLOW_CALLS,
    SampleEvent,
    sample_calls,
)

FINISH_SECONDS = 45.0
EVENTS_A_SECOND = 80.0
_PAUSE_SECONDS = 0.1
COLUMNS = (
    TextColumn("{task.description:24}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)

OUTAGE = Window(fault=Reply(503, body="html"), after=2.0, seconds=2.0)
FAULTS: tuple[Rule, ...] = (
    Script(call_id=SLOW_CALLS, answers=(Delay(2.0),), each_call=True),
    # The second is the worst of all: the call is stored, and nobody is told.
    Script(call_id=FLAKY_CALLS, answers=(Reply(502), Reset(after_commit=True)), each_call=True),
)


async def play(console: Console, environ: Mapping[str, str], *, count: int, seed: int) -> Story:
    """Carry *count* sample calls; raise DemoFailedError when a part of the demo does not work."""
    events = list(sample_calls(count, seed))
    with EmbeddedBroker() as broker:
        for topic in (TOPIC, LETTERS):
            broker.create_topic(topic, partitions=PARTITIONS)
        servers = broker.bootstrap_servers
        async with FakeTuner(_options()).serve() as tuner:
            show_plan(console, servers, tuner.url, count)
            async with running_service(_environment(environ, servers, tuner.url)) as service:
                await service.ready()
                tuner.add_faults(OUTAGE)
                publisher = Publisher(servers)
                totals = await carry(console, service, publisher, events)
                await service.stop()
            published = await asyncio.to_thread(publisher.finish, len(events))
            letters = await asyncio.to_thread(read_letters, servers)
            stored = {call.call_id for call in tuner.calls}
            story = tell(published, letters, tuner.summary(), stored, totals)
    show_story(console, story, totals)
    return story


def _options() -> Options:
    return Options(latency=Latency(median=0.02, spread=0.7), faults=FAULTS)


def _environment(environ: Mapping[str, str], servers: str, url: str) -> Mapping[str, str]:
    """Name the five settings that a deployer names, and what makes the demo a demo."""
    ours = ("KAFKA_", "TUNER_", "INGESTOR_")
    kept = {name: value for name, value in environ.items() if not name.startswith(ours)}
    return kept | {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "TUNER_BASE_URL": url,
        "TUNER_API_KEY": DEMO_KEY,
        "TUNER_WORKSPACE_ID": "1",
        "TUNER_AGENT_ID": "demo-agent",
        "INGESTOR_EVENT_TYPES": EVENT_TYPE,
        "INGESTOR_OPS_HOST": "127.0.0.1",
        "INGESTOR_OPS_PORT": "0",
        "INGESTOR_LOG_FORMAT": "json",
    }


async def carry(
    console: Console,
    service: Service,
    publisher: Publisher,
    events: Sequence[SampleEvent],
    within: float = FINISH_SECONDS,
) -> Totals:
    """Publish *events* at a steady pace, and watch until the service has finished every one.

    DemoFailedError when it has not *within* so many seconds of the last.
    """
    total = len(events)
    with Progress(*COLUMNS, console=console) as progress:
        publishing = progress.add_task("published to Kafka", total=total)
        finishing = progress.add_task("finished by the service", total=total)
        for number, event in enumerate(events, start=1):
            publisher.publish(event)
            progress.update(publishing, completed=number)
            await asyncio.sleep(1 / EVENTS_A_SECOND)
            if number % 10 == 0:
                progress.update(finishing, completed=(await service.totals()).finished)
        deadline = time.monotonic() + within
        while (totals := await service.totals()).finished < total:
            progress.update(finishing, completed=totals.finished)
            if time.monotonic() > deadline:
                raise DemoFailedError(
                    f"only {totals.finished} of {total} events were finished in time"
                )
            await asyncio.sleep(_PAUSE_SECONDS)
        progress.update(finishing, completed=total)
        return totals
