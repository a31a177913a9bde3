"""Events of one call are posted in order, one at a time, while other calls overtake them."""

import pytest
from kafka.cluster import Cluster
from system.deployment import calls, deployment, digest, message, messages
from system.sequences import overlaps

from ingestor.devkit.fake_tuner import Dice, Latency, Options, Reply
from ingestor.devkit.sample_calls import body

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

REPEATED = 30
OTHERS = 400
HASTE = {"INGESTOR_BACKOFF_BASE_SECONDS": "0.05", "INGESTOR_BACKOFF_MAX_SECONDS": "0.2"}


async def test_events_of_one_call_stay_in_order_and_hold_up_nobody(cluster: Cluster) -> None:
    """Also where some of them fail at first; the partition is the same for all, so that order is
    what we keep and not what Kafka does.
    """
    same = [body("same", size=1_500, seed=number) for number in range(REPEATED)]
    others = messages(calls(OTHERS))
    # The events of the one call stand among the others, the first one in front.
    step = OTHERS // REPEATED
    events = [
        event
        for number, value in enumerate(same)
        for event in (message("same", value), *others[number * step : (number + 1) * step])
    ] + others[REPEATED * step :]
    failing = Dice(call_id="same", share=0.3, fault=Reply(503))
    options = Options(latency=Latency(median=0.1, spread=0.3), faults=(failing,))
    async with deployment(cluster, options, partitions=1) as here:
        await here.publish(events)
        async with here.service(HASTE) as running:
            await here.until_finished(running)

    ours = [entry for entry in here.tuner.requests if entry.call_id == "same"]
    served = [entry for entry in ours if entry.status != 503]
    assert [entry.sha256 for entry in served] == [digest(value) for value in same]
    assert len(ours) > len(served)
    assert overlaps(ours) == 0
    theirs = [entry for entry in here.tuner.requests if entry.call_id != "same"]
    assert len(theirs) == OTHERS
    half = ours[len(ours) // 2]
    assert all(entry.answered and entry.answered < half.arrived for entry in theirs)
    assert here.tuner.summary().calls == OTHERS + 1
