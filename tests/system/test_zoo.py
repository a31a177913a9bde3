"""Whatever is published, it is posted as it is or it is a letter, and the service lives on."""

import asyncio

import pytest
from brokers import RealKafka
from edge.raw_batches import batch, produce
from kafka.cluster import Cluster, Message
from system.deployment import deployment, digest
from system.heartbeat import heartbeat
from system.poison import RECORDS_AT, flip, harm
from system.zoo import ANIMALS

from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

LARGE = {"max.message.bytes": "8000000"}
BROKEN = 0


async def test_every_animal_of_the_zoo_ends_as_it_should(
    cluster: Cluster, real_kafka: RealKafka
) -> None:
    """In a partition of its own, and behind a broken batch; among calls that are all posted."""
    good = body("good", size=1_500)
    async with deployment(cluster, partitions=2, config=LARGE) as here:
        await produce(cluster.address, here.topic.name, BROKEN, batch(b"lost", b"too"))
        for partition in (BROKEN, 1):
            await here.publish(
                [
                    Message(
                        value=animal.value,
                        key=animal.key,
                        headers=animal.headers,
                        partition=partition,
                    )
                    for animal in ANIMALS.values()
                ],
                {"message.max.bytes": "8000000", "batch.num.messages": "5"},
            )
            await here.publish([Message(value=good, partition=partition)])
        await asyncio.to_thread(real_kafka.stop)
        harm(real_kafka, here.topic.name, BROKEN, 0, flip(RECORDS_AT + 10))
        await asyncio.to_thread(real_kafka.start)
        async with here.service({"INGESTOR_LETTER_GUARD": "off"}) as running:
            await running.until_ready()
            async with heartbeat(running) as answers:
                await here.until_finished(running)
        letters = await here.letters()

    reasons = {(letter.origin[0], letter.value): letter.reason for letter in letters}
    (unreadable,) = (each for each in letters if each.reason == "unreadable")
    assert reasons.pop((BROKEN, unreadable.value)) == "unreadable"
    posted = {entry.sha256 for entry in here.tuner.requests}
    ends = {
        name: {reasons.pop((partition, animal.value), None) for partition in (BROKEN, 1)}
        for name, animal in ANIMALS.items()
    }
    assert ends == {name: {animal.reason} for name, animal in ANIMALS.items()}
    assert [digest(animal.value) in posted for animal in ANIMALS.values()] == [
        animal.reason in {None, "refused"} for animal in ANIMALS.values()
    ]
    assert reasons == {}
    assert digest(good) in posted
    assert max(answers) < 2.0
