"""`ingestor check --connect` and a real Kafka: what it finds, and that it changes nothing."""

import asyncio
from collections.abc import Mapping

import pytest
from kafka.cluster import Cluster
from system.deployment import deployment
from system.processes import command

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


async def look_around(settings: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run the command; give its exit code and what it found."""
    async with command("check", "--connect", environ=settings) as checking:
        code = await checking.ended()
    said = [" ".join(line.split()) for line in checking.output]
    assert checking.log == []
    return code, said[said.index("settings are good") + 1 :]


async def test_what_is_as_it_should_be_is_good(cluster: Cluster) -> None:
    """Brokers, topics, group, dead letters and key, each in a line; nothing is left behind."""
    async with deployment(cluster, partitions=1) as here:
        code, found = await look_around(here.environ)

    about = f"Tuner at {here.tuner.url}, credential default, workspace 1"
    assert found == [
        f"good brokers: {cluster.address} answers",
        f"good topic {here.topic.name}: exists",
        f"good group {here.group}: may be used",
        (
            f"good dead-letter topic {here.dead.name}: may be written, but letters are removed "
            "after 7 days; set its retention.ms to -1"
        ),
        f"good {about}: the key is accepted (422 to an empty call)",
    ]
    assert code == 0
    assert here.tuner.calls == []
    assert await here.letters() == []
    assert await here.committed() == {}


async def test_what_is_missing_is_named(cluster: Cluster) -> None:
    """The rest is asked all the same, and no topic is made by asking for it; the one for letters
    would be made by the service.
    """
    async with deployment(cluster, partitions=1) as here:
        missing = {
            "KAFKA_TOPICS": f"{here.topic.name},call-endet",
            "KAFKA_DEAD_LETTER_TOPIC": "ded",
        }
        code, found = await look_around({**here.environ, **missing, "TUNER_API_KEY": "wrong"})

    kinds = [line.partition(": ")[0] for line in found]
    assert kinds == [
        "good brokers",
        f"good topic {here.topic.name}",
        "not yet topic call-endet",
        f"good group {here.group}",
        "good dead-letter topic ded",
        f"not yet Tuner at {here.tuner.url}, credential default, workspace 1",
    ]
    assert found[4].endswith("does not exist; the service will make it")
    assert code == 1
    assert not {"call-endet", "ded"} & await asyncio.to_thread(cluster.topics)
