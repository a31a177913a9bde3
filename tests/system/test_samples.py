"""Two thousand events of every kind, and what becomes of each."""

import base64
from collections import Counter
from collections.abc import Mapping

import orjson
import pytest
from kafka.cluster import Cluster, Message
from system.deployment import Deployment, Origin, deployment

from ingestor.devkit.fake_tuner import Delay, Latency, Options, Reply, Reset, Script
from ingestor.devkit.sample_calls import (
    EVENT_TYPE,
    FLAKY_CALLS,
    SLOW_CALLS,
    Label,
    Outcome,
    SampleEvent,
    sample_calls,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

FRAME_BYTES = 5
# How often an event is posted, if not once: a flaky one fails twice.
REQUESTS = {Label.FLAKY: 3, Label.MALFORMED: 0, Label.INVALID: 0, Label.NO_ROUTE: 0}
OPTIONS = Options(
    latency=Latency(median=0.005, spread=0.7),
    faults=(
        Script(call_id=SLOW_CALLS, answers=(Delay(2.0),), each_call=True),
        Script(call_id=FLAKY_CALLS, answers=(Reply(502), Reset(after_commit=True)), each_call=True),
    ),
)


def posted_body(event: SampleEvent) -> bytes:
    """Take the body out of an event with code of the tests' own."""
    value = event.value or b""
    match event.label:
        case Label.FRAMED:
            return value[FRAME_BYTES:]
        case Label.STRUCTURED:
            envelope = orjson.loads(value)
            if "data_base64" in envelope:
                return base64.b64decode(envelope["data_base64"])
            # The fields as they stand in the envelope, which is the last of its own.
            return value[value.index(b',"data":') + len(b',"data":') : -1]
        case _:
            return value


async def test_every_event_ends_as_it_should(cluster: Cluster) -> None:
    """The promise as a whole: nothing lost, nothing stored twice, nothing changed on its way."""
    events = list(sample_calls(2_000, seed=7))
    async with deployment(cluster, OPTIONS) as here:
        origins = await here.publish(
            Message(value=event.value, key=event.key, headers=event.headers) for event in events
        )
        async with here.service({"INGESTOR_EVENT_TYPES": EVENT_TYPE}) as running:
            await here.until_finished(running)
            counts = {
                outcome: await running.metric("ingestor_records_total", outcome=outcome)
                for outcome in Outcome
            }

        delivered = [event for event in events if event.outcome is Outcome.DELIVERED]
        assert here.bodies() == {event.call_id: posted_body(event) for event in delivered}
        await letters_are_the_dead(here, dict(zip(origins, events, strict=True)))
        assert here.posted() == requests(events)
        assert counts == Counter(event.outcome for event in events)


async def letters_are_the_dead(here: Deployment, events: Mapping[Origin, SampleEvent]) -> None:
    """Check that each event that should die did: once, for its reason, with every byte intact."""
    letters = await here.letters()
    assert {
        letter.origin: (letter.reason, letter.key, letter.value, letter.headers)
        for letter in letters
    } == {
        origin: (event.reason, event.key, event.value, event.headers)
        for origin, event in events.items()
        if event.outcome is Outcome.DEAD
    }
    assert len(letters) == len({letter.origin for letter in letters})


def requests(events: list[SampleEvent]) -> Counter[str]:
    """Count the requests that each call_id should have come in."""
    return Counter(
        event.call_id or ""
        for event in events
        if event.outcome is not Outcome.IGNORED
        for _ in range(REQUESTS.get(event.label, 1))
    )
