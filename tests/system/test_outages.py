"""Tuner is out of order for a while: nothing dies of it, and it goes on by itself."""

import asyncio
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path

import pytest
from edge.certificates import Authority, server_context
from kafka.cluster import Cluster
from system.deployment import calls, deployment, messages
from system.destinations import case_events, tuners, write_routes
from system.processes import ServiceProcess
from yarl import URL

from ingestor.devkit.fake_tuner import Delay, FakeTuner, Options, Refuse, Reply, Reset, Rule, Window

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

OUTAGE_SECONDS = 15.0
AWAY_SECONDS = 12.0
EVENTS = 30
PATIENCE = {
    "TUNER_TIMEOUT_SECONDS": "2",
    "INGESTOR_BACKOFF_BASE_SECONDS": "0.1",
    "INGESTOR_BACKOFF_MAX_SECONDS": "2",
    "INGESTOR_MAX_ATTEMPTS": "2",
}


async def test_an_outage_costs_no_call_an_attempt(cluster: Cluster, tmp_path: Path) -> None:
    """However long and whatever its kind: a failure counts only while the destination works for
    others, and a deploy can roll meanwhile.
    """
    faults: dict[str, list[Rule]] = {
        "503": [Window(fault=Reply(503, body="html"), seconds=OUTAGE_SECONDS)],
        "500": [Window(fault=Reply(500, body="text"), seconds=OUTAGE_SECONDS)],
        "resets": [Window(fault=Reset(), seconds=OUTAGE_SECONDS)],
        "hangs": [Window(fault=Delay(5.0), seconds=OUTAGE_SECONDS)],
        "refuses": [Refuse(seconds=OUTAGE_SECONDS)],
        "fine": [],
    }
    async with tuners(faults) as served, deployment(cluster) as here:
        routes = write_routes(tmp_path / "routes.toml", served)
        async with here.service({**PATIENCE, **routes}) as running:
            await here.publish(chain(*(case_events(name, EVENTS) for name in served)))
            await running.until(lambda: len(served["fine"].calls) == EVENTS)
            assert served["503"].calls == []
            assert await running.readiness() == (200, [])
            await here.until_finished(running, within=OUTAGE_SECONDS + 30)
            delivered = await running.metric("ingestor_records_total", outcome="delivered")
            refused = await running.metric("ingestor_attempts_total", status="connect")

    assert {name: len(tuner.calls) for name, tuner in served.items()} == dict.fromkeys(
        served, EVENTS
    )
    assert await here.letters() == []
    assert delivered == EVENTS * len(served)
    assert 10 <= refused <= EVENTS + 5, "after those under way a probe now and then"


async def test_while_nobody_listens_a_call_knocks_now_and_then(cluster: Cluster) -> None:
    """At most twice a second at first, however many wait; it keeps its partitions, stays ready, and
    says what it waits for.
    """
    before, after = FakeTuner(), FakeTuner()
    first, meanwhile = calls(50, "first"), calls(500, "meanwhile")
    async with deployment(cluster) as here, AsyncExitStack() as stack:
        async with before.serve():
            url = before.url
            running = await stack.enter_async_context(here.service({"TUNER_BASE_URL": url}))
            await here.publish(messages(first))
            await here.until_finished(running)
        await here.publish(messages(meanwhile))
        outage = await running.until_said("outage")
        assert (outage["what"], outage["cause"]) == (f"server {url}", "connect")
        await running.until(lambda: is_idle(running))  # what was under way is over
        knocked = await running.metric("ingestor_attempts_total", status="connect")
        await asyncio.sleep(AWAY_SECONDS)
        assert await running.readiness() == (200, [])
        labels = {"destination": f"server {url}", "state": "open"}
        assert await running.metric("ingestor_destination_state", **labels) == 1
        knocks = await running.metric("ingestor_attempts_total", status="connect") - knocked
        async with after.serve(port=URL(url).port or 0):
            await here.until_finished(running)
            await running.until_said("outage_over")

    assert 1 <= knocks <= 2 * AWAY_SECONDS
    assert {call.call_id: call.body for call in after.calls} == meanwhile
    assert here.tuner.requests == []
    assert len(running.entries_of("partitions_assigned")) == 1
    assert await here.letters() == []


async def is_idle(running: ServiceProcess) -> bool:
    """Whether no request is under way."""
    return await running.metric("ingestor_slots_in_use") == 0


async def test_a_certificate_that_is_not_trusted_holds_until_it_is(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The key goes to nobody whom we do not know; once the right one answers it goes on."""
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    false = FakeTuner(Options(tls=server_context(stranger.sign("false"))))
    true = FakeTuner(Options(tls=server_context(authority.sign("true"))))
    bodies = calls(3)
    async with deployment(cluster) as here, AsyncExitStack() as stack:
        async with false.serve():
            settings = {"TUNER_BASE_URL": false.url, "TUNER_CA_FILE": authority.ca}
            running = await stack.enter_async_context(here.service(settings))
            await here.publish(messages(bodies))
            held = await running.until_said("held")
            assert (held["what"], held["cause"]) == (f"destination default@{false.url}", "tls")
            assert (await running.readiness())[0] == 503
        async with true.serve(port=URL(false.url).port or 0):
            await here.until_finished(running)
            await running.until_ready()

    assert false.requests == []
    assert {call.call_id: call.body for call in true.calls} == bodies
    assert await here.letters() == []
