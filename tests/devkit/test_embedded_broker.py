"""The embedded broker is one that real clients accept, and that fails on demand."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from ingestor.devkit.broker_library import BrokerRefusedError
from ingestor.devkit.embedded_broker import (
    DISCONNECT,
    PARTITION_BYTES,
    Api,
    EmbeddedBroker,
)

ONE_PLACE = TopicPartition("calls", 0)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker with a topic `calls` of one partition."""
    with EmbeddedBroker() as embedded:
        embedded.create_topic("calls", partitions=1)
        yield embedded


@asynccontextmanager
async def producing(broker: EmbeddedBroker, **settings: Any) -> AsyncIterator[Any]:
    """Open a producer to *broker*."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, **settings)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(broker: EmbeddedBroker, *topics: str, **settings: Any) -> AsyncIterator[Any]:
    """Open a consumer to *broker* that reads from the beginning and does not wait long."""
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=broker.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
        **settings,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def administering(broker: EmbeddedBroker) -> AsyncIterator[Any]:
    """Open an admin client to *broker*."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def leaders(admin: Any, topic: str) -> dict[int, int]:
    """Give the leader of each partition of *topic*."""
    (found,) = await admin.describe_topics([topic])
    return {part["partition"]: part["leader"] for part in found["partitions"]}


async def take(consumer: Any, count: int) -> list[bytes]:
    """Read *count* values; the test's own timeout ends a wait in vain."""
    values: list[bytes] = []
    while len(values) < count:
        batches = await consumer.getmany(timeout_ms=200)
        values += [record.value for records in batches.values() for record in records]
    return values


# Clients


async def test_a_group_in_the_same_process_reads_and_commits(broker: EmbeddedBroker) -> None:
    """What a group commits, its next member goes on from."""
    async with producing(broker) as producer:
        for value in (b"a", b"b", b"c"):
            await producer.send_and_wait("calls", value)

    # The mock rebalances after the session timeout less a second.
    group = {"group_id": "group", "session_timeout_ms": 1200, "heartbeat_interval_ms": 300}
    async with consuming(broker, "calls", **group) as first:
        assert await take(first, 3) == [b"a", b"b", b"c"]
        await first.commit({ONE_PLACE: (2, "metadata")})
    async with consuming(broker, "calls", **group) as second:
        assert await take(second, 1) == [b"c"]


CLIENT = """if True:
    import asyncio, sys
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async def main(servers):
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            await producer.send_and_wait("calls", b"from a process", headers=[("h", b"v")])
        async with AIOKafkaConsumer(
            "calls", bootstrap_servers=servers, group_id="group", auto_offset_reset="earliest",
            enable_auto_commit=False, fetch_max_wait_ms=20,
        ) as consumer:
            record = await consumer.getone()
            print(record.value.decode(), record.headers)
            await consumer.commit()

    asyncio.run(main(sys.argv[1]))
"""


async def test_a_group_in_another_process_reads_and_commits(broker: EmbeddedBroker) -> None:
    """The demo's service is a process of its own."""
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, broker.bootstrap_servers, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await client.communicate()

    assert printed.decode().strip() == "from a process (('h', b'v'),)"
    async with administering(broker) as admin:
        offsets = await admin.list_consumer_group_offsets("group", partitions=[ONE_PLACE])
    assert offsets[ONE_PLACE].offset == 1


def test_the_broker_ends_with_its_block() -> None:
    """Nothing listens afterwards, and no method touches what was freed."""
    with EmbeddedBroker() as broker:
        host, port = broker.bootstrap_servers.split(":")
        with socket.create_connection((host, int(port))):
            pass

    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port))):
        pass
    for use in (broker.requests, broker.take_down, lambda: broker.bootstrap_servers):
        with pytest.raises(RuntimeError, match="only inside its `with` block"):
            use()


def test_a_broker_runs_again_after_its_block() -> None:
    """Each block is a new, empty cluster."""
    broker = EmbeddedBroker()

    for _ in range(2):
        with broker:
            broker.create_topic("calls")


def test_no_signal_reaches_its_threads() -> None:
    """A signal that interrupts the mock's wait would have it free the cluster under our feet."""
    script = """if True:
        import os, signal
        from ingestor.devkit.embedded_broker import EmbeddedBroker
        signal.signal(signal.SIGTERM, lambda *_: print("taken"))
        with EmbeddedBroker() as broker:
            assert not signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            os.kill(os.getpid(), signal.SIGTERM)  # goes to whichever thread would have it
            broker.create_topic("calls")
            print(*signal.sigpending())
    """
    done = subprocess.run(  # noqa: S603  # a script of our own
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=30,
    )

    assert (done.stdout.split(), done.stderr) == (["15"], "")


# Topics


async def test_topics_have_the_partitions_that_were_asked_for() -> None:
    """Each broker of a cluster leads some."""
    with EmbeddedBroker(brokers=3) as broker:
        broker.create_topic("wide", partitions=6)
        async with administering(broker) as admin:
            assert await leaders(admin, "wide") == {0: 1, 1: 2, 2: 3, 3: 1, 4: 2, 5: 3}


def test_what_cannot_be_is_refused(broker: EmbeddedBroker) -> None:
    """The cluster's own answer is in the error."""
    with pytest.raises(BrokerRefusedError, match="Topic already exists"):
        broker.create_topic("calls")
    with pytest.raises(BrokerRefusedError, match="Broker not available"):
        broker.take_down(7)
    with pytest.raises(BrokerRefusedError, match="Unknown topic or partition"):
        broker.move_leader("calls", 9, broker=1)
    with pytest.raises(ValueError, match="at least one partition"):
        broker.create_topic("none", partitions=0)
    with pytest.raises(ValueError, match="at least one broker"):
        EmbeddedBroker(brokers=0)


def test_commands_do_not_wait_for_one_another() -> None:
    """One that comes right after another is not left lying for a second, but now and then."""
    with EmbeddedBroker() as broker:
        begun = time.monotonic()
        for number in range(100):
            broker.create_topic(f"topic-{number}", partitions=1)

    assert time.monotonic() - begun < 5


async def test_a_partition_keeps_only_its_last_bytes(broker: EmbeddedBroker) -> None:
    """Whoever loads more than PARTITION_BYTES into a partition loses the beginning."""
    async with producing(broker) as producer:
        for _ in range(PARTITION_BYTES // 500_000 + 2):
            await producer.send_and_wait("calls", bytes(500_000))
    async with consuming(broker) as consumer:
        begin = (await consumer.beginning_offsets([ONE_PLACE]))[ONE_PLACE]
        end = (await consumer.end_offsets([ONE_PLACE]))[ONE_PLACE]

    assert begin > 0
    assert (end - begin) * 500_000 <= PARTITION_BYTES


# Faults


async def test_errors_come_one_per_request_in_order(broker: EmbeddedBroker) -> None:
    """A zero lets a request through."""
    async with producing(broker) as producer:
        broker.fail_next(Api.PRODUCE, [0, 10])

        await producer.send_and_wait("calls", b"through")
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait("calls", b"failed")
        await producer.send_and_wait("calls", b"through")


async def test_errors_can_be_taken_back(broker: EmbeddedBroker) -> None:
    """What waits for a kind of request is forgotten."""
    async with producing(broker) as producer:
        broker.fail_next(Api.PRODUCE, [10, 10])
        broker.fail_no_more(Api.PRODUCE)

        await producer.send_and_wait("calls", b"through")


async def test_a_client_is_hung_up_on(broker: EmbeddedBroker) -> None:
    """A request that gets DISCONNECT is sent again on a new connection."""
    async with producing(broker) as producer:
        await producer.send_and_wait("calls", b"first")
        broker.record_requests()
        broker.fail_next(Api.PRODUCE, [DISCONNECT])

        await producer.send_and_wait("calls", b"second")

    kinds = [request.api for request in broker.requests()]
    assert kinds.count(Api.PRODUCE) == 2
    assert Api.API_VERSIONS in kinds


async def test_a_broker_goes_down_and_comes_back(broker: EmbeddedBroker) -> None:
    """Down it refuses connections; up again it has its address and its records."""
    async with producing(broker) as producer:
        await producer.send_and_wait("calls", b"kept")

    broker.take_down()
    with pytest.raises(KafkaConnectionError):
        async with producing(broker):
            pass

    broker.bring_up()
    async with consuming(broker, "calls") as consumer:
        assert await take(consumer, 1) == [b"kept"]


async def test_answers_take_as_long_as_was_asked(broker: EmbeddedBroker) -> None:
    """The delay holds until it is set to nothing."""
    async with producing(broker) as producer:
        broker.set_round_trip(150)
        begun = time.monotonic()
        await producer.send_and_wait("calls", b"slow")
        assert time.monotonic() - begun >= 0.15

        broker.set_round_trip(0)
        begun = time.monotonic()
        await producer.send_and_wait("calls", b"quick")
        assert time.monotonic() - begun < 0.15


async def test_the_coordinator_and_leaders_can_be_moved() -> None:
    """A partition may even be without a leader."""
    with EmbeddedBroker(brokers=3) as broker:
        broker.create_topic("calls", partitions=2)
        async with administering(broker) as admin:
            for number in (1, 2, 3):
                broker.move_coordinator("group", broker=number)
                broker.move_leader("calls", 0, broker=number)
                assert await admin.find_coordinator("group") == number
                assert (await leaders(admin, "calls"))[0] == number
            broker.move_leader("calls", 0, broker=None)
            assert await leaders(admin, "calls") == {0: -1, 1: 2}


async def test_a_topic_can_be_in_error(broker: EmbeddedBroker) -> None:
    """Metadata names the error until it is healed."""
    async with administering(broker) as admin:
        for code in (29, 0):
            broker.set_topic_error("calls", code)
            (found,) = await admin.describe_topics(["calls"])
            assert found["error_code"] == code


async def test_requests_are_recorded_from_when_it_was_asked(broker: EmbeddedBroker) -> None:
    """Each says its broker, its kind and its time."""
    async with producing(broker) as producer:
        await producer.send_and_wait("calls", b"unseen")
        assert broker.requests() == []

        broker.record_requests()
        assert broker.requests() == []
        await producer.send_and_wait("calls", b"seen")
        await producer.send_and_wait("calls", b"seen")

    seen = [request for request in broker.requests() if request.api == Api.PRODUCE]
    assert [request.broker for request in seen] == [1, 1]
    assert 0 < seen[0].at < seen[1].at < seen[0].at + 30
    broker.record_requests()
    assert broker.requests() == []


# Without confluent-kafka


def test_nothing_but_making_a_broker_needs_confluent_kafka() -> None:
    """The command line imports the practice gear on a machine without it."""
    script = """if True:
        import sys
        sys.modules["confluent_kafka"] = None
        from ingestor.devkit import embedded_broker
        try:
            embedded_broker.EmbeddedBroker()
        except Exception as error:
            print(error)
    """
    done = subprocess.run(  # noqa: S603  # a script of our own
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )

    assert "pip install 'ingestor[demo]'" in done.stdout
