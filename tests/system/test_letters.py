"""What a dead letter says of its record, for whoever has to mend and replay it."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from builders import event
from kafka.cluster import Cluster, Message
from system.deployment import Deployment, Letter, deployment

from ingestor import __version__

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

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


async def timestamps(here: Deployment) -> dict[tuple[int, int], int]:
    """Read when the broker was given each record."""
    stored = await asyncio.to_thread(here.topic.read_all)
    return {(record.partition, record.offset): record.timestamp for record in stored}
