"""The dead-letter topic as the service finds it: missing, too small, or one that erases letters."""

import asyncio
import os

import pytest
from cli.commands import invoke
from kafka.cluster import Cluster, Message, Topic
from system.deployment import Deployment, calls, deployment, messages

from ingestor.devkit.fake_tuner import FakeTuner

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
