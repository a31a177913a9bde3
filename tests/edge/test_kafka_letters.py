"""A letter is written when the broker says so, and what it says otherwise is told."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaError
from brokers import EmbeddedKafka
from builders import dead, record
from edge.hostile import Peer, serving
from kafka.cluster import Cluster, Message, Stored, Topic
from kafka.plugin import cluster_of

from ingestor.core.letter import Letter, NotWritten, letter
from ingestor.core.parts import PART, Joining, source
from ingestor.devkit.embedded_broker import DISCONNECT, Api, EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_letters import KafkaLetters
from ingestor.edge.tls import Tls

LETTER = Letter(b"key", b"value", (("own", b"1"), ("ingestor-reason", b"refused")))
ANSWER_SECONDS = 1.0


@asynccontextmanager
async def opened(
    address: str, topic: str = "letters", patience: float = ANSWER_SECONDS
) -> AsyncIterator[KafkaLetters]:
    """Write to *topic*, without much patience."""
    letters = KafkaLetters(Connection(address, "test"), topic, answer_seconds=patience)
    try:
        yield letters
    finally:
        await letters.close()


async def written(broker: EmbeddedBroker) -> list[bytes | None]:
    """Read the values of all letters."""
    cluster = cluster_of(EmbeddedKafka(broker))
    return [stored.value for stored in await asyncio.to_thread(cluster.read_all, "letters")]


def numbered(number: int) -> Letter:
    """Make a letter that is told from others."""
    return Letter(None, b"%d" % number, ())


@pytest.mark.kafka
async def test_a_letter_is_stored_as_it_is(cluster: Cluster, topic: Topic) -> None:
    """The key, the value and every header, in their order, and repeated ones as well."""
    headers = (("own", b"\xff"), ("own", None), ("ingestor-reason", b"refused"))
    async with opened(cluster.address, topic.name) as letters:
        assert await letters.write(Letter(b"key", b"\x00{", headers)) is None

    (stored,) = await asyncio.to_thread(topic.read_all)
    assert (stored.key, stored.value, stored.headers) == (b"key", b"\x00{", headers)


@pytest.mark.kafka
async def test_letters_of_one_key_stay_together(cluster: Cluster, topic: Topic) -> None:
    """In the partition where Java's clients would put them: a replay keeps their order."""
    javas = {"partitioner": "murmur2"}
    ((partition, _),) = await asyncio.to_thread(
        topic.produce, [Message(value=b"0", key=b"a")], javas
    )
    async with opened(cluster.address, topic.name) as letters:
        for number in range(1, 4):
            assert await letters.write(Letter(b"a", b"%d" % number, ())) is None

    stored = await asyncio.to_thread(topic.read_all)
    assert [(it.value, it.offset) for it in stored] == [(b"%d" % n, n) for n in range(4)]
    assert {it.partition for it in stored} == {partition}


@pytest.mark.kafka
async def test_many_letters_at_once_are_all_stored(cluster: Cluster, topic: Topic) -> None:
    """The first of them open the connection together."""
    async with opened(cluster.address, topic.name) as letters, asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(letters.write(numbered(n))) for n in range(500)]
        await asyncio.wait(writing)

    assert {task.result() for task in writing} == {None}
    stored = await asyncio.to_thread(topic.read_all)
    assert sorted(int(it.value or b"") for it in stored) == list(range(500))


async def test_a_letter_may_have_neither_key_nor_value(broker: EmbeddedBroker) -> None:
    """Its headers say what could not be read."""
    async with opened(broker.bootstrap_servers) as letters:
        assert (
            await letters.write(Letter(None, None, (("ingestor-reason", b"unreadable"),))) is None
        )

    assert await written(broker) == [None]


async def test_without_a_broker_a_letter_is_not_written() -> None:
    """It is said at once, and nothing is left open."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with opened(f"127.0.0.1:{nobody.getsockname()[1]}") as letters:
            assert await letters.write(LETTER) == NotWritten("KafkaConnectionError")


async def test_it_works_again_when_the_broker_is_back(broker: EmbeddedBroker) -> None:
    """Gone before the first letter or between two of them; nothing has to be made anew."""
    broker.take_down()
    async with opened(broker.bootstrap_servers) as letters:
        assert await letters.write(numbered(1)) is not None
        broker.bring_up()
        assert await letters.write(numbered(2)) is None

        broker.take_down()
        async with asyncio.timeout(ANSWER_SECONDS * 3):
            assert await letters.write(numbered(3)) is not None
        broker.bring_up()
        async with asyncio.timeout(10):
            while await letters.write(numbered(4)):  # noqa: ASYNC110 - a broker tells nobody
                await asyncio.sleep(0.05)

    values = await written(broker)
    assert values[0] == b"2"
    assert values[-1] == b"4"


async def test_a_broker_that_says_nothing_is_given_up() -> None:
    """However many letters wait for it, each is given up when its own time is over."""

    async def silent(peer: Peer) -> None:
        await peer.closed()

    async with (
        serving(silent) as server,
        opened(f"127.0.0.1:{server.port}") as letters,
        asyncio.timeout(ANSWER_SECONDS * 5),
        asyncio.TaskGroup() as tasks,
    ):
        writing = [tasks.create_task(letters.write(numbered(n))) for n in range(20)]

    causes = {task.result() for task in writing}
    assert causes <= {NotWritten("KafkaConnectionError"), NotWritten("TimeoutError")}


@pytest.mark.parametrize(
    ("code", "cause"),
    [(44, "PolicyViolationError"), (2, "CorruptRecordException")],
)
async def test_what_the_broker_refuses_is_told(
    broker: EmbeddedBroker, code: int, cause: str
) -> None:
    """By the name of the refusal; the next letter is another matter."""
    broker.fail_next(Api.PRODUCE, [code])
    async with opened(broker.bootstrap_servers) as letters:
        assert await letters.write(numbered(1)) == NotWritten(cause)
        assert await letters.write(numbered(2)) is None

    assert await written(broker) == [b"2"]


async def test_without_leave_to_write_it_is_told_what_is_missing(broker: EmbeddedBroker) -> None:
    """The topic, and the rights on it."""
    broker.fail_next(Api.PRODUCE, [29])
    async with opened(broker.bootstrap_servers) as letters:
        problem = await letters.write(LETTER)

    assert problem == NotWritten(
        "TopicAuthorizationFailedError",
        "topic letters may not be written: grant Describe and Write on it to this user",
    )


@pytest.mark.parametrize("code", [6, 7, 19, DISCONNECT])
async def test_what_passes_is_tried_again_within_the_time(
    broker: EmbeddedBroker, code: int
) -> None:
    """A leader that moved, a replica that is late, a connection that broke."""
    broker.fail_next(Api.PRODUCE, [code])
    async with opened(broker.bootstrap_servers) as letters:
        assert await letters.write(LETTER) is None

    assert await written(broker) == [b"value"]


async def test_a_letter_cut_off_leaves_the_others_alone(broker: EmbeddedBroker) -> None:
    """A drain that overruns may cancel any of them, also the one that opens the connection."""
    async with opened(broker.bootstrap_servers) as letters, asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(letters.write(numbered(n))) for n in range(3)]
        await asyncio.sleep(0)
        writing[0].cancel()
        await asyncio.wait(writing)

    assert writing[0].cancelled()
    assert [task.result() for task in writing[1:]] == [None, None]
    assert {b"1", b"2"} <= set(await written(broker))


async def test_closing_twice_or_unopened_does_nothing(broker: EmbeddedBroker) -> None:
    """A service may end before its first letter."""
    letters = KafkaLetters(Connection(broker.bootstrap_servers, "test"), "letters")
    await letters.close()
    await letters.write(LETTER)
    await letters.close()
    await letters.close()


async def test_a_missing_certificate_is_told(broker: EmbeddedBroker) -> None:
    """The files may come later: secrets are mounted late."""
    tls = Tls(ca="/nowhere/ca.pem")
    letters = KafkaLetters(Connection(broker.bootstrap_servers, "test", "SSL", tls), "letters")

    assert await letters.write(LETTER) == NotWritten("FileNotFoundError")


@pytest.mark.system
async def test_a_missing_topic_is_told(cluster: Cluster) -> None:
    """A broker may not make topics up; as soon as somebody does, letters are written."""
    name = f"letters-{uuid4().hex}"
    async with opened(cluster.address, name) as letters:
        problem = await letters.write(LETTER)
        assert problem in (
            NotWritten("UnknownTopicOrPartitionError"),
            NotWritten("TimeoutError"),
        )

        await asyncio.to_thread(cluster.create_topic, name, partitions=1)
        assert await letters.write(LETTER) is None


def large(size: int, *, offset: int = 0, key: bytes | None = b"key") -> Letter:
    """Make the letter of a record that no codec makes smaller."""
    died = record(os.urandom(size), key=key, offset=offset, headers=(("own", b"1"),))
    return letter(died, dead(), None, version="1")


async def read_back(topic: Topic) -> tuple[list[Letter], list[Stored]]:
    """Read the letters whole, and what is stored of them."""
    stored = await asyncio.to_thread(topic.read_all)
    joining = Joining()
    read = (joining.add(Letter(it.key, it.value, it.headers)) for it in stored)
    return [it for it in read if it is not None], stored


@pytest.mark.system
@pytest.mark.parametrize("key", [b"key", None], ids=["key", "no key"])
async def test_a_letter_that_is_too_large_is_written_in_parts(
    cluster: Cluster, key: bytes | None
) -> None:
    """The topic's limit counts, and not one of ours; smaller letters beside it pass whole."""
    limits = {"max.message.bytes": "1000000"}
    topic = await asyncio.to_thread(cluster.create_topic, partitions=3, config=limits)
    whole, small = large(3_500_000, key=key), large(900_000, offset=1, key=key)
    async with opened(cluster.address, topic.name, 10) as letters, asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(letters.write(it)) for it in (whole, small)]
    assert [task.result() for task in writing] == [None, None]

    found, stored = await read_back(topic)
    assert sorted(found, key=source_offset) == [whole, small]
    parts = [it for it in stored if PART in dict(it.headers)]
    assert [dict(it.headers)[PART] for it in parts] == [b"%d/4" % n for n in (1, 2, 3, 4)]
    assert len({it.partition for it in parts}) == 1
    assert len({it.partition for it in stored}) == 1 or key is None


def source_offset(letter: Letter) -> int:
    """Read which record died."""
    whose = source(letter)
    assert whose is not None
    return whose.offset


@pytest.mark.system
async def test_letters_are_not_cut_for_the_company_they_keep(cluster: Cluster) -> None:
    """Many small ones are sent together, which a tiny limit refuses."""
    limits = {"max.message.bytes": "4000"}
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1, config=limits)
    sent = [large(1_000, offset=number) for number in range(30)]
    async with opened(cluster.address, topic.name, 10) as letters, asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(letters.write(it)) for it in sent]
    assert {task.result() for task in writing} == {None}

    _, stored = await read_back(topic)
    assert len(stored) == 30
    assert all(PART not in dict(it.headers) for it in stored)


@pytest.mark.system
async def test_a_letter_whose_headers_are_too_large_is_its_own_trouble(cluster: Cluster) -> None:
    """A single header cannot be cut; others can be written meanwhile."""
    limits = {"max.message.bytes": "2000"}
    topic = await asyncio.to_thread(cluster.create_topic, partitions=1, config=limits)
    stuck = Letter(None, b"1", (("own", os.urandom(3_000)),))
    async with opened(cluster.address, topic.name) as letters:
        problem = await letters.write(stuck)
        assert await letters.write(numbered(1)) is None

    assert problem is not None
    assert problem.is_letters_own
    assert problem.remedy.startswith(f"raise max.message.bytes of {topic.name}")


async def test_a_part_that_is_not_acknowledged_leaves_the_letter_unwritten(
    broker: EmbeddedBroker,
) -> None:
    """All of them are written again; whoever reads puts any complete set together."""
    too_large, refused = 10, 44
    broker.fail_next(Api.PRODUCE, [too_large, too_large, 0, refused])
    whole = large(100)
    async with opened(broker.bootstrap_servers) as letters:
        assert await letters.write(whole) == NotWritten("PolicyViolationError")
        broker.fail_next(Api.PRODUCE, [too_large, too_large])
        assert await letters.write(whole) is None

    found, stored = await read_back(Topic(cluster_of(EmbeddedKafka(broker)), "letters"))
    assert found == [whole]
    assert [dict(it.headers)[PART] for it in stored] == [b"1/2", b"1/2", b"2/2"]


async def test_a_producer_that_sends_no_more_is_replaced(broker: EmbeddedBroker) -> None:
    """Once its task for sending has failed it fails for ever, and so would every letter."""
    async with opened(broker.bootstrap_servers) as letters:
        assert await letters.write(numbered(1)) is None
        sender = letters._producer._sender  # noqa: SLF001 - only a fault of the client's ends it
        sender._fail_all(await failed())  # noqa: SLF001 - as it does then
        sender.sender_task.cancel()
        await asyncio.wait([sender.sender_task])
        assert await letters.write(numbered(2)) == NotWritten("KafkaError")
        assert await letters.write(numbered(2)) is None

    assert await written(broker) == [b"1", b"2"]


async def failed() -> "asyncio.Task[None]":
    """Give a task that has failed as that of a producer fails."""

    async def fail() -> None:
        raise KafkaError("unexpected")

    task = asyncio.get_running_loop().create_task(fail())
    await asyncio.wait([task])
    return task
