"""A connection that is gone is a lost connection to aiokafka, however it went."""

import asyncio

import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest
from system.chaos.proxy import Proxy

from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.kafka_wire import Wire


def test_whoever_writes_to_a_connection_that_has_gone_is_told_so() -> None:
    """Anything else than an error of Kafka's would end the task that writes, for good."""

    async def write() -> None:
        host, port = broker.bootstrap_servers.split(":")
        wire = Wire(host, int(port))
        _, writer = await wire.connect()
        assert (await wire.send(ApiVersionRequest())).error_code == 0
        # Its end comes before the task that reads from it had a turn.
        wire._read_task.cancel()  # noqa: SLF001 - see above
        writer.transport.abort()
        await wire._closed_fut  # noqa: SLF001 - nothing public tells

        with pytest.raises(KafkaConnectionError, match="is gone"):
            await wire.send(ApiVersionRequest())
        with pytest.raises(KafkaConnectionError, match="No connection"):
            wire.send(ApiVersionRequest())

    with EmbeddedBroker() as broker, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(write())


class Impatient(Wire):
    """A connection that has little time."""

    prompt_seconds = 0.2


async def test_a_heartbeat_that_nobody_answers_is_given_up_and_a_join_is_not(
    broker: EmbeddedBroker,
) -> None:
    """Who waits for it as long as for a join has lost its partitions before it knows."""
    port = int(broker.bootstrap_servers.split(":")[1])
    async with Proxy(port).serving() as proxy:
        wire = Impatient("127.0.0.1", proxy.port)
        await wire.connect()
        async with proxy.stalling():
            with pytest.raises(TimeoutError):
                await wire.send(HeartbeatRequest("group", 1, "member"))
            protocols = [("sticky", b"")]
            joining = wire.send(
                JoinGroupRequest("group", 6_000, 6_000, "", None, "consumer", protocols)
            )
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(Impatient.prompt_seconds * 3):
                    await joining
        wire.close()


async def test_whoever_is_cancelled_while_an_answer_comes_is_cancelled(
    broker: EmbeddedBroker,
) -> None:
    """A heartbeat that went on would have aiokafka wait for its end, and never join again."""
    host, port = broker.bootstrap_servers.split(":")
    wire = Wire(host, int(port))
    await wire.connect()

    async def beat() -> None:
        await wire.send(ApiVersionRequest())
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(beat())
        await asyncio.sleep(0)  # until it has asked
        *_, answer = wire._requests[-1]  # noqa: SLF001 - nothing public tells
        answer.add_done_callback(lambda _answer: beating.cancel())
        await asyncio.wait([beating], timeout=5)
        ended = beating.cancelled()
        beating.cancel()
    wire.close()

    assert ended
