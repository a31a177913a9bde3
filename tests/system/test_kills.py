"""A service that is killed, and the one that is started after it."""

import time
from collections import Counter
from collections.abc import Mapping

import pytest
from builders import event
from kafka.cluster import Cluster
from system.deployment import calls, deployment, digest, messages
from system.waiting import together

from ingestor.devkit.fake_tuner import Latency, Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

SLOTS = 64
SESSION_SECONDS = 10.0
# Commits go out every second; the rest is for a busy machine.
COMMITTED_WITHIN = 5.0
STATIC = {"KAFKA_GROUP_INSTANCE_ID": "one"}
OPTIONS = Options(latency=Latency(median=0.3, spread=0.4))


async def test_a_kill_under_load_loses_nothing(cluster: Cluster) -> None:
    """What is sent twice was on its way when the kill came; all else is sent once.

    A member with a name of its own need not wait until the session of its earlier life is over.
    """
    await together(is_killed(cluster, {}), is_killed(cluster, STATIC))


async def is_killed(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Kill a service under load, and let another finish the rest."""
    good = calls(1_000)
    refused = {name: event(call_id=name, agent_version="v2") for name in calls(100, "refused")}
    async with deployment(cluster, OPTIONS) as here:
        events = messages(good)
        for place, bad in enumerate(messages(refused)):
            events.insert(place * 11, bad)
        origins = await here.place(events)
        async with here.service(settings) as first:
            await first.until(lambda: len(here.tuner.requests) >= 6 * SLOTS)
            first.kill()
            await first.ended()
        killed = time.monotonic()
        on_their_way = await here.in_flight(origins)
        before = here.tuner.requests

        async with here.service(settings) as second:
            await second.until(lambda: len(here.tuner.requests) > len(before))
            waited = here.tuner.requests[len(before)].arrived - killed
            await here.until_finished(second)
        letters = await here.letters()

        assert here.bodies() == good
        # One that was written, but not committed, is written twice, and names the same source.
        assert {(letter.value, letter.origin) for letter in letters} == {
            (value, origins[digest(value)]) for value in refused.values()
        }
        posted = Counter(entry.sha256 for entry in here.tuner.requests)
        repeated = {name for name, count in posted.items() if count > 1}
        assert set(posted.values()) <= {1, 2}
        assert repeated <= on_their_way
        old = {e.sha256 for e in before if e.answered and e.answered < killed - COMMITTED_WITHIN}
        assert not repeated & old
        if settings is STATIC:
            assert waited < SESSION_SECONDS
