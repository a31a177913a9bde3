"""Connections to a broker die, and nobody says so."""

import pytest
from system.chaos.proxied_kafka import ProxiedKafka
from system.chaos.proxy import Proxy
from system.deployment import calls, deployment, messages

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

# How long the client waits for what it fetches follows from it.
HASTE = {"INGESTOR_DRAIN_SECONDS": "1"}


async def test_connections_that_die_without_a_word_cost_no_call(doors: ProxiedKafka) -> None:
    """Nobody tells the service: it finds out by itself, and goes on over others before its session
    is over. It keeps its partitions, so nothing comes twice.
    """
    first, second = calls(20, "first"), calls(20, "second")
    door, *_ = doors.doors
    async with (
        deployment(doors.cluster) as here,
        Proxy(door.behind, door.advertised).serving() as proxy,
        here.service({**HASTE, "KAFKA_BOOTSTRAP_SERVERS": proxy.address}) as running,
    ):
        await here.publish(messages(first))
        await here.until_finished(running)
        assert proxy.orphan() > 1
        await here.publish(messages(second))
        await here.until_finished(running, within=60)
        assert await here.letters() == []
        assert len(running.entries_of("partitions_assigned")) == 1
        assert running.entries_of("membership_in_doubt") == []

    assert here.bodies() == first | second
    assert here.posted() == dict.fromkeys(first | second, 1)
