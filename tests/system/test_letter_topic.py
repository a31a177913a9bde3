"""The dead-letter topic as the service finds it: missing, too small, or one that erases letters."""

import asyncio
import os

import pytest
from cli.commands import invoke
from fake_clock import FakeClock, LoadedDice
from fakes import RecordingObserver
from kafka.cluster import Cluster, Message, Topic
from system.deployment import Deployment, calls, deployment, messages
from system.waiting import eventually

from ingestor.core.letter import Letter
from ingestor.devkit.fake_tuner import FakeTuner
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letters import KafkaLetters
from ingestor.flow.burial import FRESH_SECONDS, Burial
from ingestor.flow.crew import Crew
from ingestor.flow.notices import Notices

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

LARGE = 3_000_000
SOURCE = {"max.message.bytes": str(2 * LARGE)}


async def test_a_compacted_topic_refuses_to_start(cluster: Cluster) -> None:
    """It says why in one sentence, and ends with 2: nobody has to wait for a first letter."""
    async with deployment(cluster) as here:
        compacted = await asyncio.to_thread(
            cluster.create_topic, config={"cleanup.policy": "compact"}
        )
        settings = {"KAFKA_DEAD_LETTER_TOPIC": compacted.name}
        async with here.service(settings) as running:
            assert await running.ended() == 2

        (told,) = running.entries_of("dead_letter_topic_unfit")
        assert told["why"].startswith(f"dead-letter topic {compacted.name} is compacted, which")
        assert running.entries_of("stopped")[0]["exit_code"] == 2


async def test_a_missing_topic_is_made_and_a_large_letter_is_put_together_again(
    cluster: Cluster,
) -> None:
    """From an event that no codec makes smaller to the bytes that `ingestor dlq` gives back."""
    source = await asyncio.to_thread(cluster.create_topic, partitions=3, config=SOURCE)
    large = Message(value=os.urandom(LARGE), key=b"large", partition=1)
    async with FakeTuner().serve() as tuner:
        here = Deployment(source, Topic(cluster, f"{source.name}.made"), tuner)
        async with here.service() as running:
            await running.until_said("dead_letter_topic_created")
            assert len(await asyncio.to_thread(cluster.partitions, here.dead.name)) == 3
            offset = await publish(here, large)
            await here.until_finished(running)
        (letter,) = await here.letters()
        assert letter.value == large.value

        small = await asyncio.to_thread(cluster.create_topic, f"{source.name}.small")
        again = {"KAFKA_DEAD_LETTER_TOPIC": small.name, "KAFKA_GROUP_ID": f"{source.name}-again"}
        async with here.service(again) as running:
            here.group = again["KAFKA_GROUP_ID"]
            await here.until_finished(running)

    parts = [dict(it.headers)["ingestor-part"] for it in await asyncio.to_thread(small.read_all)]
    assert parts == [b"1/4", b"2/4", b"3/4", b"4/4"]
    place = f"{source.name}/1/{offset}"
    shown = await asyncio.to_thread(
        invoke, "dlq", "show", place, "--raw", environ=here.environ | again
    )
    assert (shown.exit_code, shown.stdout_bytes) == (0, large.value)


async def publish(here: Deployment, large: Message) -> int:
    """Publish good events and a large one that nobody can read; return its offset."""
    limit = {"message.max.bytes": str(2 * LARGE)}
    places = await here.publish([*messages(calls(5)), large], limit)
    return places[-1][1]


async def test_a_topic_that_becomes_compacted_gets_no_more_letters(cluster: Cluster) -> None:
    """Kafka takes them as before: only who looks again finds out, and when it was mended."""
    topic = await asyncio.to_thread(cluster.create_topic)
    clock, observer = FakeClock(), RecordingObserver()
    letters = KafkaLetters(Connection(cluster.address, "test"), topic.name)
    async with asyncio.TaskGroup() as tasks:
        crew = Crew(tasks, clock)
        burial = Burial(
            letters=letters,
            crew=crew,
            clock=clock,
            dice=LoadedDice(),
            observer=observer,
            notices=Notices(clock, observer),
        )
        await burial.bury(Letter(b"key", b"1", ()))
        await asyncio.to_thread(topic.configure, "cleanup.policy", "compact")

        await clock.advance(FRESH_SECONDS)
        waiting = tasks.create_task(burial.bury(Letter(b"key", b"2", ())))
        (notice,) = await eventually(lambda: observer.notices)
        assert "is compacted" in notice.remedy
        assert len(await asyncio.to_thread(topic.read_all)) == 1

        await asyncio.to_thread(topic.configure, "cleanup.policy", "delete")
        while not waiting.done():
            await clock.advance(1)
            await asyncio.wait([waiting], timeout=0.05)
        await letters.close()

    assert [it.value for it in await asyncio.to_thread(topic.read_all)] == [b"1", b"2"]
    assert observer.changes[-1] == ("letters_written_again", {})
