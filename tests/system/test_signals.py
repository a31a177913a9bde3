"""SIGTERM and SIGINT to a service at work: what is on the wire ends, the rest is left."""

import signal

import pytest
from brokers import reserve_port
from kafka.cluster import Cluster
from system.deployment import calls, deployment, messages
from system.processes import service
from system.waiting import together

from ingestor.core.limiter import START
from ingestor.devkit.fake_tuner import Latency, Options, Reply, Window

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

SLOW = Options(latency=Latency(median=1.0, spread=0.2))
DRAIN_SECONDS = 20.0
# What the service may take beside the drain: two seconds each for letters, commit and leaving.
CLOSING_SECONDS = 6.0
# So many requests run at once at first.
SLOTS = START


async def test_a_signal_under_load_loses_and_repeats_nothing(cluster: Cluster) -> None:
    """A deploy must not cost a single request: every answer is awaited, and committed. Ctrl-C means
    the same as SIGTERM.
    """
    await together(stops(cluster, signal.SIGTERM), stops(cluster, signal.SIGINT))


async def stops(cluster: Cluster, number: signal.Signals) -> None:
    """Stop a service under load with signal *number*, and let another finish the rest."""
    bodies = calls(500)
    async with deployment(cluster, SLOW) as here:
        await here.publish(messages(bodies))
        async with here.service() as first:
            await first.until(lambda: len(here.tuner.requests) >= 3 * SLOTS)
            first.signal(number)
            code = await first.ended(DRAIN_SECONDS)

        assert (code, first.entries_of("drained")[-1]["cut_off"]) == (0, 0)
        answered = here.tuner.summary()
        assert answered.open == 0
        assert answered.statuses == {201: answered.requests}
        assert 3 * SLOTS <= answered.requests < len(bodies)
        assert sum((await here.committed()).values()) == answered.requests

        async with here.service() as second:
            await here.until_finished(second)
        assert here.posted() == dict.fromkeys(bodies, 1)
        assert here.bodies() == bodies
        assert not any(entry.client_left for entry in here.tuner.requests)


async def test_a_second_signal_ends_it_at_once(cluster: Cluster) -> None:
    """Whoever asks twice does not want to wait: nothing more is committed, so nothing is lost."""
    bodies = calls(SLOTS)
    async with deployment(cluster, Options(latency=Latency(median=5.0))) as here:
        await here.publish(messages(bodies))
        async with here.service() as first:
            await first.until(lambda: here.tuner.summary().open == SLOTS)
            first.signal(signal.SIGTERM)
            await first.until_said("draining")
            assert (await first.readiness())[1] == ["draining"]
            first.signal(signal.SIGTERM)
            code = await first.ended(2.0)

        assert code == 1
        assert first.entries_of("drained") == []
        assert here.tuner.calls == []
        assert set((await here.committed()).values()) == {0}


async def test_a_drain_that_takes_too_long_is_cut_off_and_said(cluster: Cluster) -> None:
    """Inside the thirty seconds of Kubernetes: what was cut comes again, and that is no failure."""
    bodies = calls(SLOTS)
    settings = {"INGESTOR_DRAIN_SECONDS": "1"}
    async with deployment(cluster, Options(latency=Latency(median=4.0))) as here:
        await here.publish(messages(bodies))
        async with here.service(settings) as first:
            await first.until(lambda: here.tuner.summary().open == SLOTS)
            first.signal(signal.SIGTERM)
            code = await first.ended(1.0 + CLOSING_SECONDS)

        assert (code, first.entries_of("drained")[-1]["cut_off"]) == (0, SLOTS)
        async with here.service() as second:
            await here.until_finished(second)
        assert here.posted() == dict.fromkeys(bodies, 2)
        assert here.bodies() == bodies


async def test_what_only_waits_does_not_hold_up_a_drain(cluster: Cluster) -> None:
    """Calls that wait for a hold to end, and a service that waits for a broker, stop at once."""
    await together(stops_while_held(cluster), stops_without_a_broker())


async def stops_while_held(cluster: Cluster) -> None:
    """Stop a service of which every call waits for the key to be accepted."""
    bodies = calls(100)
    options = Options(faults=(Window(fault=Reply(401), seconds=1e6),))
    async with deployment(cluster, options) as here:
        await here.publish(messages(bodies))
        async with here.service() as first:
            await first.until_said("held")
            first.signal(signal.SIGTERM)
            assert await first.ended(CLOSING_SECONDS) == 0

        here.tuner.clear_faults()
        async with here.service() as second:
            await here.until_finished(second)
        assert here.bodies() == bodies
        assert await here.letters() == []


async def stops_without_a_broker() -> None:
    """Stop a service that has not found a broker yet."""
    with reserve_port() as nobody:
        environ = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody.getsockname()[1]}",
            "TUNER_API_KEY": "key",
            "TUNER_WORKSPACE_ID": "1",
            "TUNER_AGENT_ID": "front-desk",
        }
        async with service(environ) as waiting:
            await waiting.until_said("waiting_for_kafka")
            waiting.signal(signal.SIGTERM)
            assert await waiting.ended(CLOSING_SECONDS) == 0
