"""Tuner asks to be left alone for a while, and is."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from kafka.cluster import Cluster
from system.deployment import deployment
from system.destinations import case_events, tuners, write_routes

from ingestor.devkit.fake_tuner import FakeTuner, Reply, Script

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

EVENTS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """How it asks, and for how many seconds."""

    name: str
    reply: Reply
    seconds: float


CASES = (
    Case("seconds", Reply(429, retry_after=3), 3.0),
    Case("date", Reply(429, retry_after_date=2.5), 2.5),
    Case("without-a-word", Reply(429), 1.0),
    Case("broken", Reply(503, body="html", retry_after=3), 3.0),
    Case("early", Reply(425, retry_after=2), 2.0),
    Case("slow", Reply(408, retry_after=2), 2.0),
)


async def test_a_destination_that_asks_to_be_left_alone_is(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The whole of it: a call that comes only now waits as well; the others do not, and it is no
    reason to be taken out of service.
    """
    faults = {case.name: [Script(answers=(case.reply,))] for case in CASES} | {"fine": []}
    async with tuners(faults) as served, deployment(cluster) as here:
        asking = [served[case.name] for case in CASES]
        async with here.service(write_routes(tmp_path / "routes.toml", served)) as running:
            await running.until_ready()
            await here.publish(chain(*(case_events(case.name, 1) for case in CASES)))
            await running.until(lambda: all(map(has_answered, asking)))
            await here.publish(chain(*(case_events(name, EVENTS)[1:] for name in served)))
            await served["fine"].until(lambda: len(served["fine"].calls) == EVENTS - 1)
            assert (await running.readiness()) == (200, [])
            await here.until_finished(running)
            assert await running.metric("ingestor_records_total", outcome="delivered") == (
                EVENTS * len(served) - 1
            )

    assert {case.name: len(served[case.name].calls) for case in CASES} == {
        case.name: EVENTS for case in CASES
    }
    for case in CASES:
        asked, again, *_ = served[case.name].requests
        assert again.arrived - (asked.answered or 0) >= case.seconds, case
    assert await here.letters() == []


def has_answered(tuner: FakeTuner) -> bool:
    """Whether the first request is done with."""
    return any(entry.answered for entry in tuner.requests)
