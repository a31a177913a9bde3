"""Whatever a broker does, a source goes on: nothing is lost, and nothing comes twice within an
assignment.
"""

import asyncio
from pathlib import Path

import pytest
from brokers import EmbeddedKafka
from edge.embedded import FIRST, GROUP, SESSION_SECONDS, numbers, publish, reader_of
from edge.hostile import Peer, end, serving, until
from edge.members import Member, member
from kafka.plugin import cluster_of

from ingestor.core.record import Partition
from ingestor.devkit.embedded_broker import DISCONNECT, Api, EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.tls import Tls

# Waiting


async def test_it_waits_for_a_broker_and_says_so_once() -> None:
    """However often it tries."""

    async def hang_up(_: Peer) -> None:
        pass

    async with (
        serving(hang_up) as server,
        member(f"127.0.0.1:{server.port}", "calls") as reader,
        asyncio.TaskGroup() as tasks,
    ):
        taking = tasks.create_task(reader.run())
        await until(lambda: server.opened >= 3)
        taking.cancel()

    assert reader.keeper.changes == [("waiting_for_kafka", {"cause": "KafkaConnectionError"})]


async def test_it_joins_as_soon_as_there_is_a_broker(broker: EmbeddedBroker) -> None:
    """By itself, and from then on as if nothing had been."""
    await publish(broker, FIRST, b"1")
    broker.take_down()

    async with reader_of(broker) as reader, asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.told("waiting_for_kafka"))
        broker.bring_up()
        await until(lambda: reader.records, within=15)
        taking.cancel()

    assert reader.values(0) == [b"1"]


async def test_it_waits_for_a_topic_and_does_not_make_it_up(broker: EmbeddedBroker) -> None:
    """This broker makes up whatever topic it is asked for: it must not be asked."""
    cluster = cluster_of(EmbeddedKafka(broker))

    async with reader_of(broker, "calls", "more", "most") as reader, asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.told("waiting_for_kafka"))
        await asyncio.sleep(0.5)  # by now it would have been made
        assert await asyncio.to_thread(cluster.topics) == {"calls", "letters"}
        broker.create_topic("most")
        await until(lambda: len(reader.keeper.told("waiting_for_kafka")) == 2)
        broker.create_topic("more", partitions=1)
        await until(lambda: reader.keeper.owned, within=15)
        taking.cancel()

    causes = [fields["cause"] for fields in reader.keeper.told("waiting_for_kafka")]
    assert causes == ["no topic more, most", "no topic more"]
    assert Partition("more", 0) in reader.keeper.begun[0]


async def test_a_topic_that_goes_away_is_waited_for(broker: EmbeddedBroker) -> None:
    """Which is said once; the others are read on."""
    broker.create_topic("more", partitions=1)
    unknown_topic = 3

    async with member(
        broker.bootstrap_servers,
        *("calls", "more"),
        group=GROUP,
        session_seconds=SESSION_SECONDS,
        metadata_seconds=0.5,
    ) as reader:
        assert Partition("more", 0) in await reader.joined()
        broker.set_topic_error("more", unknown_topic)
        await reader.until(lambda: reader.keeper.told("waiting_for_kafka"))
        await publish(broker, FIRST, b"1")
        await reader.until(lambda: reader.records)

    assert reader.keeper.changes == [("waiting_for_kafka", {"cause": "no topic more"})]
    assert Partition("more", 0) not in reader.keeper.begun[-1]


async def test_a_certificate_that_is_missing_is_told_once(tmp_path: Path) -> None:
    """Secrets are mounted late, and pods are not restarted for it."""
    connection = Connection("127.0.0.1:1", "test", "SSL", Tls(str(tmp_path / "ca.pem")))
    reader = Member(connection, Subscription(("calls",), GROUP))

    for _ in range(4):
        assert await reader.take() == []

    assert reader.keeper.changes == [("kafka_failed", {"cause": "FileNotFoundError"})]


# A consumer that fails


async def test_a_consumer_that_keeps_failing_is_replaced(broker: EmbeddedBroker) -> None:
    """After such an answer to a heartbeat it sends none any more, and raises for ever."""
    await publish(broker, FIRST, b"1")

    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.records)
        assert await reader.source.commit({FIRST: 1})
        broker.fail_next(Api.HEARTBEAT, [-1])
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        await publish(broker, FIRST, b"2")
        await reader.until(lambda: len(reader.records) == 2)

    assert reader.keeper.begun[1][FIRST] == 1
    assert reader.values(0) == [b"1", b"2"]
    assert reader.keeper.changes == [("kafka_failed", {"cause": "KafkaError"})]
    assert reader.keeper.ended == 3  # at the first join, when it was replaced, at the second


async def test_a_failure_now_and_then_is_no_reason(broker: EmbeddedBroker) -> None:
    """The consumer goes on, and its assignment with it."""
    await publish(broker, FIRST, *numbers(*range(3)))

    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.LIST_OFFSETS, [29])
        broker.fail_next(Api.HEARTBEAT, [27])
        await reader.until(lambda: reader.keeper.told("kafka_failed"))
        await reader.until(lambda: len(reader.keeper.begun) == 2)
        await reader.until(lambda: len(reader.records) >= 3)

    assert reader.keeper.changes == [("kafka_failed", {"cause": "TopicAuthorizationFailedError"})]
    assert reader.values(0)[-3:] == numbers(*range(3))


async def test_a_client_that_cancels_itself_is_replaced(broker: EmbeddedBroker) -> None:
    """A cancellation that escapes from a rebalance ends the client's tasks without a word."""

    async def cancelled() -> None:
        reader.keeper.ending = None
        raise asyncio.CancelledError

    async with reader_of(broker) as reader:
        await reader.joined()
        reader.keeper.ending = cancelled
        broker.fail_next(Api.HEARTBEAT, [27])
        await reader.until(lambda: len(reader.keeper.begun) == 2)

    assert reader.keeper.changes == [("kafka_failed", {"cause": "CancelledError"})]


async def test_a_client_that_fetches_no_more_is_replaced(broker: EmbeddedBroker) -> None:
    """It would keep its membership and its partitions, and hand out nothing for ever."""
    await publish(broker, FIRST, b"1")

    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.records)
        assert await reader.source.commit({FIRST: 1})
        reader.source._consumer._fetcher._fetch_task.cancel()  # noqa: SLF001 - only a fault of the client's ends it
        await publish(broker, FIRST, b"2")
        await reader.until(lambda: len(reader.records) == 2)

    assert reader.values(0) == [b"1", b"2"]
    assert reader.keeper.changes == [("kafka_failed", {"cause": "KafkaError"})]


async def test_a_broker_that_goes_and_comes_back_costs_nothing(broker: EmbeddedBroker) -> None:
    """Nothing is lost, nothing comes twice, and nobody has to know."""
    await publish(broker, FIRST, *numbers(*range(3)))

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 3)
        broker.take_down()
        for _ in range(5):
            assert await reader.take() == []
        broker.bring_up()
        await publish(broker, FIRST, *numbers(*range(3, 6)))
        await reader.until(lambda: len(reader.records) == 6)

    assert reader.values(0) == numbers(*range(6))


async def test_brokers_that_are_away_see_few_of_us(broker: EmbeddedBroker) -> None:
    """A cluster that comes back has others to let in as well; and commits go on being tried."""
    port = int(broker.bootstrap_servers.split(":")[1])
    opened = 0

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        writer.transport.abort()

    async with reader_of(broker) as reader:
        await reader.joined()
        broker.take_down()
        listener = await asyncio.start_server(hang_up, "127.0.0.1", port)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(reader.run())
            await reader.source.commit({FIRST: 0})  # five seconds
            running.cancel()
        await end(listener)
        broker.bring_up()
        await publish(broker, FIRST, b"1")
        await reader.until(lambda: reader.records)

    assert 5 < opened < 60


@pytest.mark.parametrize("api", [Api.FETCH, Api.OFFSET_FETCH, Api.LIST_OFFSETS])
async def test_a_connection_that_breaks_costs_nothing(broker: EmbeddedBroker, api: Api) -> None:
    """Whatever it is doing, also while it joins."""
    await publish(broker, FIRST, *numbers(*range(3)))
    broker.fail_next(api, [DISCONNECT])

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 3)
        broker.fail_next(api, [DISCONNECT])
        await publish(broker, FIRST, b"3")
        await reader.until(lambda: len(reader.records) == 4)

    assert reader.values(0) == numbers(*range(4))


# Commits


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (12, "OffsetMetadataTooLargeError"),
        (22, "CommitFailedError"),
        (25, "CommitFailedError"),
        (27, "CommitFailedError"),
        (30, "GroupAuthorizationFailedError"),
        (-1, "UnknownError"),
    ],
)
async def test_a_commit_that_is_refused_is_told_and_not_raised(
    broker: EmbeddedBroker, code: int, cause: str
) -> None:
    """Around a rebalance it is common: what was not committed is read again."""
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.OFFSET_COMMIT, [code])

        assert not await reader.source.commit({FIRST: 0})

    assert reader.keeper.changes == [("commit_refused", {"cause": cause})]


async def test_commits_that_are_refused_again_and_again_are_told_once(
    broker: EmbeddedBroker,
) -> None:
    """In an outage there are ten a minute. Another cause is news, and so is the end."""
    group, unknown = "GroupAuthorizationFailedError", "UnknownError"
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.fail_next(Api.OFFSET_COMMIT, [30, 30, -1, 0, 0, 30])
        done = [await reader.source.commit({FIRST: 0}) for _ in range(6)]

    assert done == [False, False, False, True, True, False]
    assert reader.keeper.changes == [
        ("commit_refused", {"cause": group}),
        ("commit_refused", {"cause": unknown}),
        ("committed_again", {}),
        ("commit_refused", {"cause": group}),
    ]


async def test_a_broker_that_does_not_answer_is_not_waited_for_long(
    broker: EmbeddedBroker,
) -> None:
    """The client itself would wait for ever: a commit ends, and of the ends nothing is said."""
    async with reader_of(broker) as reader:
        await reader.joined()
        broker.set_round_trip(20_000)
        async with asyncio.timeout(7), asyncio.TaskGroup() as tasks:
            committing = tasks.create_task(reader.source.commit({FIRST: 0}))
            asking = tasks.create_task(reader.source.ends())
        broker.set_round_trip(0)

    assert not committing.result()
    assert asking.result() == {}
    assert reader.keeper.changes == [("commit_refused", {"cause": "TimeoutError"})]
