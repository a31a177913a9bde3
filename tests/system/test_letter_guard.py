"""A deploy with a wrong agent does not empty the topic into the dead-letter topic."""

import signal
from collections.abc import Mapping
from typing import Any

import pytest
from kafka.cluster import Cluster, Message
from system.deployment import Deployment, calls, deployment, message
from system.processes import ServiceProcess

from ingestor.devkit.fake_tuner import Options, Reply, Window

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CALLS = 2_000
LIMIT = 20
UNKNOWN_AGENT = Options(faults=(Window(fault=Reply(404), seconds=1e6),))
# The events name it: a wrong agent of the settings is a hold before anything dies.
AGENT = (("tuner-agent-id", b"no-such-agent"),)


async def publish(here: Deployment) -> dict[str, bytes]:
    """Publish calls for an agent that Tuner does not know."""
    bodies = calls(CALLS)
    await here.publish(message(name, body, AGENT) for name, body in bodies.items())
    return bodies


async def until_held(running: ServiceProcess, here: Deployment) -> None:
    """Wait until the letters are held, and check all that is said of it."""
    route = f"route default@{here.tuner.url}, workspace 1, agent no-such-agent"
    expected = {f"letters held: {what} (refused (404))" for what in (route, "every route")}

    async def is_told() -> bool:
        ready, because = await running.readiness()
        return ready == 503 and {reason.split(" since ")[0] for reason in because} == expected

    def told() -> list[Mapping[str, Any]]:
        return [entry for entry in running.entries_of("letters_held") if entry["what"] == route]

    await running.until(is_told)
    (entry,) = await running.until(told)  # a log may come later than a page
    assert entry["cause"] == "refused (404)"
    assert entry["waiting"] > 0
    assert "SIGHUP" in entry["remedy"]
    assert await running.metric("ingestor_destination_state", state="letters_held") == 2
    assert len(await here.letters()) < LIMIT


async def dead(here: Deployment) -> set[str]:
    """Name the calls that became letters."""
    return {letter.said["call-id"] for letter in await here.letters()}


async def test_a_wrong_agent_leads_to_a_few_letters_and_after_the_fix_all_is_delivered(
    cluster: Cluster,
) -> None:
    """A restart begins to count anew; what was a letter already is all that is left to replay."""
    async with deployment(cluster, UNKNOWN_AGENT) as here:
        bodies = await publish(here)
        async with here.service() as first:
            await until_held(first, here)
            first.signal(signal.SIGTERM)
            assert await first.ended() == 0
        here.tuner.clear_faults()

        async with here.service() as second:
            await here.until_finished(second)
            await second.until_ready()

        letters = await dead(here)
        assert len(letters) < LIMIT
        assert here.bodies() == {n: body for n, body in bodies.items() if n not in letters}
        assert second.entries_of("letters_held") == []


async def test_it_goes_on_by_itself_when_the_fault_is_mended(cluster: Cluster) -> None:
    """One of the held calls is tried from time to time; once it is accepted, all are."""
    async with deployment(cluster, UNKNOWN_AGENT) as here:
        bodies = await publish(here)
        async with here.service() as running:
            await until_held(running, here)
            here.tuner.clear_faults()
            await here.until_finished(running)
            await running.until_ready()
            assert await running.metric("ingestor_destination_state") == 0

        letters = await dead(here)
        assert len(letters) < LIMIT
        assert here.bodies().keys() | letters == bodies.keys()


async def test_a_signal_lets_the_letters_go(cluster: Cluster) -> None:
    """Somebody wants them written as they are: garbage, and it is for the publisher to mend."""
    async with deployment(cluster, partitions=1) as here:
        await here.publish([Message(value=b"{", key=b"%d" % n) for n in range(100)])
        async with here.service() as running:
            await running.until_said("letters_held")
            assert len(await here.letters()) < LIMIT

            running.signal(signal.SIGHUP)
            await here.until_finished(running)
            await running.until_ready()
            assert (await running.until_said("letters_let_go"))["count"] == 100 - LIMIT + 1
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0

        assert len(await here.letters()) == 100
