"""What a dead letter says of its record, for whoever has to mend and replay it."""

import asyncio
import json
import signal
from datetime import UTC, datetime
from functools import partial

import pytest
from builders import event
from kafka.cluster import Cluster, Message
from system.deployment import Deployment, Letter, calls, deployment, is_finished, messages

from ingestor import __version__

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

DEAD, GOOD = 5, 20
OWN = (("tenant", b"\xff\x00"), ("nothing", None), ("ingestor-reason", b"of another life"))


async def test_a_letter_says_all_about_the_failure(cluster: Cluster) -> None:
    """The original bytes, its own headers but for ours, where it stood, why and when it died."""
    refused = Message(
        value=event(call_id="refused", agent_version="v2"),
        key=b"\xfe",
        headers=(*OWN, ("ingestor-replays", b"2"), ("tuner-agent-id", b"night desk")),
        partition=1,
    )
    malformed = Message(value=b"\xff{", partition=0)
    began = datetime.now(UTC)
    async with deployment(cluster, partitions=2) as here, here.service() as running:
        await here.publish([refused, malformed])
        await here.until_finished(running)
        letters = {letter.reason: letter for letter in await here.letters()}
        stamps = await timestamps(here)

    letter = letters["refused"]
    first, last = (
        datetime.fromisoformat(letter.said[f"{which}-attempt"]) for which in ("first", "last")
    )
    assert (letter.key, letter.value) == (refused.key, refused.value)
    assert letter.headers == (*OWN[:2], ("tuner-agent-id", b"night desk"))
    assert first == last
    assert abs((first - began).total_seconds()) < 60
    assert rest(letter) == {
        "schema": "1",
        "reason": "refused",
        "message": "Tuner answered 422: agent_version: int_parsing",
        "status": "422",
        "errors": json.dumps(
            [{"loc": "agent_version", "type": "int_parsing"}], separators=(",", ":")
        ),
        "attempts": "1",
        "topic": here.topic.name,
        "partition": "1",
        "offset": "0",
        "timestamp": str(stamps[1, 0]),
        "call-id": "refused",
        "workspace-id": "1",
        "agent-id": "night desk",
        "version": __version__,
        "replays": "2",
    }
    assert letters["malformed"].value == malformed.value
    assert (letters["malformed"].key, letters["malformed"].headers) == (None, ())
    assert {"status", "call-id", "first-attempt"}.isdisjoint(letters["malformed"].said)


def rest(letter: Letter) -> dict[str, str]:
    """Give what a letter says, but for the times of its attempts."""
    times = ("first-attempt", "last-attempt")
    return {name: value for name, value in letter.said.items() if name not in times}


async def test_a_record_is_not_finished_before_its_letter_is_safe(cluster: Cluster) -> None:
    """A kill -9 while no letter can be written loses none, although all else is committed."""
    async with deployment(cluster, partitions=1) as here:
        await asyncio.to_thread(here.dead.configure, "max.message.bytes", "50")
        await here.publish(Message(value=b"{", key=b"%d" % number) for number in range(DEAD))
        await here.publish(messages(calls(GOOD)))
        async with here.service() as running:
            await running.until_said("letter_stuck")
            await running.until(partial(is_all_else_finished, here))
            assert (await here.committed())[0] == 0
            running.signal(signal.SIGKILL)
            await running.ended()

        await asyncio.to_thread(here.dead.configure, "max.message.bytes", "100000")
        async with here.service() as running:
            await here.until_finished(running)
        letters = await here.letters()

    assert {letter.origin for letter in letters} == {(0, offset) for offset in range(DEAD)}
    assert len(here.tuner.requests) == GOOD


async def is_all_else_finished(here: Deployment) -> bool:
    """Whether the group knows that all behind the first records is."""
    commits = await here.commits()
    return all(is_finished((0, DEAD + number), commits) for number in range(GOOD))


async def timestamps(here: Deployment) -> dict[tuple[int, int], int]:
    """Read when the broker was given each record."""
    stored = await asyncio.to_thread(here.topic.read_all)
    return {(record.partition, record.offset): record.timestamp for record in stored}
