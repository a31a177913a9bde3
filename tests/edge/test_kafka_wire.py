"""A connection that is gone is a lost connection to aiokafka, also on uvloop."""

import asyncio

import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

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
