"""However a Kafka wants to know who we are, it is told; and what we may not do there is found out
before.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AclOperation,
    ResourceType,
)
from edge.certificates import Authority
from edge.hostile import Hostile, Peer, serving, until
from edge.members import Member
from edge.secured_kafka import (
    PASSWORD,
    PLAIN_USERS,
    REAUTH_SECONDS,
    SCRAM_USER,
    TOKEN_USER,
    SecuredKafka,
    paths,
    secured_kafka,
    token,
)
from kafka.cluster import Message, Topic
from kafka.jars import fetch

from ingestor.core.finding import Finding
from ingestor.core.letter import Letter, NotWritten
from ingestor.core.record import Partition
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription
from ingestor.edge.kafka_letters import KafkaLetters
from ingestor.edge.kafka_probe import probe_kafka
from ingestor.edge.oauth import OAuthClient
from ingestor.edge.tls import Tls

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

READER, GUEST = PLAIN_USERS


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[SecuredKafka]:
    """A broker with doors; everybody but the guest may do all."""
    with secured_kafka(tmp_path_factory.mktemp("secured"), fetch(os.environ), authority) as kafka:
        for user in (READER, SCRAM_USER, TOKEN_USER, "CN=ours"):
            kafka.allow(user, ResourceType.TOPIC, "*", AclOperation.ALL)
            kafka.allow(user, ResourceType.GROUP, "*", AclOperation.ALL)
        yield kafka


@pytest.fixture
def topic(kafka: SecuredKafka) -> Topic:
    """A new topic."""
    return kafka.cluster.create_topic(partitions=1)


async def reads_and_writes(connection: Connection, topic: Topic) -> None:
    """Take a record, commit it, and write a letter."""
    await asyncio.to_thread(topic.produce, [Message(value=b"1")])
    reader = Member(connection, Subscription((topic.name,), f"group-{uuid4().hex}"))
    letters = KafkaLetters(connection, topic.name, answer_seconds=5)
    try:
        await reader.until(lambda: reader.records)
        assert await reader.source.commit({reader.records[0].origin: 1})
        assert await letters.write(Letter(None, b"2", ())) is None
    finally:
        await reader.source.close()
        await letters.close()
    assert reader.keeper.changes == []


def login(kafka: SecuredKafka, user: str, mechanism: str, password: str = PASSWORD) -> Connection:
    """Log in with a password, unencrypted."""
    return Connection(
        kafka.doors["SASL"],
        "test",
        "SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        username=user,
        password=password,
    )


@pytest.mark.parametrize(
    ("user", "mechanism"),
    [(READER, "PLAIN"), (SCRAM_USER, "SCRAM-SHA-256"), (SCRAM_USER, "SCRAM-SHA-512")],
)
async def test_a_password_opens(
    kafka: SecuredKafka, topic: Topic, user: str, mechanism: str
) -> None:
    """As it is, or without being told."""
    await reads_and_writes(login(kafka, user, mechanism), topic)


async def test_a_password_opens_behind_tls(
    kafka: SecuredKafka, topic: Topic, authority: Authority
) -> None:
    """Where nobody else hears it."""
    connection = Connection(
        kafka.doors["BOTH"],
        "test",
        "SASL_SSL",
        Tls(authority.ca),
        sasl_mechanism="PLAIN",
        username=READER,
        password=PASSWORD,
    )

    await reads_and_writes(connection, topic)


async def test_a_certificate_opens(kafka: SecuredKafka, topic: Topic, authority: Authority) -> None:
    """The name in it says who we are."""
    cert, key = paths(await asyncio.to_thread(authority.sign, "ours", password=PASSWORD))
    tls = Tls(authority.ca, cert, key, PASSWORD)

    await reads_and_writes(Connection(kafka.doors["TLS"], "test", "SSL", tls), topic)


@asynccontextmanager
async def granting(kafka: SecuredKafka, seconds: float = 300.0) -> AsyncIterator[Connection]:
    """Log in with tokens that are good for *seconds*, given by somebody whom the broker trusts."""

    async def grant(peer: Peer) -> None:
        await peer.request()
        granted = {"access_token": token(TOKEN_USER, seconds=seconds), "expires_in": seconds}
        await peer.answer("200 OK", json.dumps(granted).encode())

    async with serving(grant) as server:
        yield bearing(kafka, server)


def bearing(kafka: SecuredKafka, server: Hostile) -> Connection:
    """Log in with tokens of *server*."""
    return Connection(
        kafka.doors["TOKEN"],
        "test",
        "SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        oauth=OAuthClient(server.url, "id", "secret"),
    )


async def test_a_token_opens(kafka: SecuredKafka, topic: Topic) -> None:
    """It is fetched from somebody else, whom the broker trusts."""
    async with granting(kafka) as connection:
        await reads_and_writes(connection, topic)


async def test_a_token_that_expires_costs_nothing(kafka: SecuredKafka, topic: Topic) -> None:
    """The broker cuts its connections again and again; the member stays one, and gets a new token
    each time.
    """
    async with granting(kafka, seconds=3.0) as connection:
        await stays_a_member(connection, topic)


async def test_a_login_that_has_to_be_repeated_costs_nothing(
    kafka: SecuredKafka, topic: Topic, authority: Authority
) -> None:
    """The client cannot log in again on an open connection: the broker cuts it, and a new one is
    opened.
    """
    connection = Connection(
        kafka.doors["BOTH"],
        "test",
        "SASL_SSL",
        Tls(authority.ca),
        sasl_mechanism="SCRAM-SHA-256",
        username=SCRAM_USER,
        password=PASSWORD,
    )

    await stays_a_member(connection, topic)


def takes_more(reader: Member, count: int) -> bool:
    """Whether *reader* has taken more than *count* records."""
    return len(reader.records) > count


async def stays_a_member(connection: Connection, topic: Topic) -> None:
    """Read and commit, record by record, for longer than a login is good for."""
    reader = Member(connection, Subscription((topic.name,), f"group-{uuid4().hex}"))
    where = Partition(topic.name, 0)
    loop = asyncio.get_running_loop()
    try:
        await reader.joined()
        over = loop.time() + 3 * REAUTH_SECONDS
        while loop.time() < over:
            taken = len(reader.records)
            await asyncio.to_thread(topic.produce, [Message(value=b"%d" % taken)])
            await reader.until(partial(takes_more, reader, taken))
            assert await reader.source.commit({where: taken + 1})
            await asyncio.sleep(0.1)
    finally:
        await reader.source.close()
    assert len(reader.keeper.begun) == 1
    assert reader.keeper.changes == []


async def waits(connection: Connection, topic: Topic) -> object:
    """Try to join for a while, in vain; give what was told, which is one thing."""
    reader = Member(connection, Subscription((topic.name,), "group"))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reader.run())
        await asyncio.sleep(2)  # by now it was tried again
        running.cancel()
    await reader.source.close()
    ((event, fields),) = reader.keeper.changes
    assert event == "waiting_for_kafka"
    return fields["cause"]


async def test_a_wrong_password_is_told_and_tried_again(kafka: SecuredKafka, topic: Topic) -> None:
    """Once: the broker may learn of the new one later than we."""
    connection = login(kafka, READER, "PLAIN", "wrong")
    letters = KafkaLetters(connection, topic.name)

    assert await waits(connection, topic) == "SaslAuthenticationFailed"
    assert await letters.write(Letter(None, b"1", ())) == NotWritten("KafkaConnectionError")


async def test_a_broker_of_an_unknown_authority_is_not_trusted(
    kafka: SecuredKafka, topic: Topic
) -> None:
    """Only the system's authorities are, when nobody names another."""
    connection = Connection(kafka.doors["TLS"], "test", "SSL")

    assert await waits(connection, topic) == "SSLCertVerificationError"


async def test_without_a_token_it_waits(kafka: SecuredKafka, topic: Topic) -> None:
    """Whoever gives them may be away for a while."""

    async def refuse(peer: Peer) -> None:
        await peer.request()
        await peer.answer("503 Unavailable", b"")

    async with serving(refuse) as server:
        cause = await waits(bearing(kafka, server), topic)
        assert cause == "the token endpoint answered 503"
        assert len(server.requests) >= 2


# What a user may do


async def probed(kafka: SecuredKafka, user: str, topic: str, group: str) -> list[Finding]:
    """Ask, as *user*, for a topic, a group, and for the topic as the one of the dead letters."""
    probe = probe_kafka(
        login(kafka, user, "PLAIN"), topics=[topic], group_id=group, dead_letter_topic=topic
    )
    return [finding async for finding in probe]


async def test_the_probe_finds_what_a_user_may_not_do(kafka: SecuredKafka, topic: Topic) -> None:
    """A topic that may not be seen is not there for him; writing is a right of its own."""
    group = f"group-{uuid4().hex}"
    name = topic.name

    found = await probed(kafka, GUEST, name, group)
    assert [finding.is_good for finding in found] == [True, False, False, False]
    assert found[3].how == "may not be written; grant Write and Describe to this user"

    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, name, AclOperation.READ)
    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.GROUP, group, AclOperation.READ)
    found = await probed(kafka, GUEST, name, group)
    assert [finding.is_good for finding in found] == [True, True, True, False]

    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, name, AclOperation.WRITE)
    found = await probed(kafka, GUEST, name, group)
    assert all(finding.is_good for finding in found)
    assert found[3].how.startswith("may be written, but its settings may not be read")
    assert await asyncio.to_thread(topic.read_all) == []


async def test_a_group_that_may_not_be_used_is_told_once(kafka: SecuredKafka, topic: Topic) -> None:
    """As long as it lasts; as soon as it may be, records are taken."""
    group = f"group-{uuid4().hex}"
    await asyncio.to_thread(topic.produce, [Message(value=b"1")])
    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, topic.name, AclOperation.READ)
    reader = Member(login(kafka, GUEST, "PLAIN"), Subscription((topic.name,), group))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.changes, within=20)
        await asyncio.sleep(2)  # by now it would have been told again
        assert reader.keeper.changes == [
            ("kafka_failed", {"cause": "GroupAuthorizationFailedError"})
        ]
        await asyncio.to_thread(kafka.allow, GUEST, ResourceType.GROUP, group, AclOperation.READ)
        await until(lambda: reader.records, within=30)
        running.cancel()
    await reader.source.close()


async def test_a_topic_that_may_not_be_read_any_more_is_waited_for(
    kafka: SecuredKafka, topic: Topic
) -> None:
    """It is told once, and is no fault of what it holds; other topics go on, and so does this one
    as soon as it may be read again.
    """
    group, other = f"group-{uuid4().hex}", await asyncio.to_thread(kafka.cluster.create_topic)
    for name in (topic.name, other.name):
        await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, name, AclOperation.READ)
    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.GROUP, group, AclOperation.READ)
    reader = Member(login(kafka, GUEST, "PLAIN"), Subscription((topic.name, other.name), group))
    change = (GUEST, ResourceType.TOPIC, topic.name, AclOperation.READ)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.owned, within=30)
        await asyncio.to_thread(kafka.forbid, *change)
        await until(lambda: reader.keeper.told("partition_forbidden"), within=20)
        await asyncio.to_thread(topic.produce, [Message(value=b"1")])
        await asyncio.to_thread(other.produce, [Message(value=b"2")])
        await until(lambda: reader.records, within=5)
        await asyncio.sleep(4)  # by now it was tried again
        assert [record.value for record in reader.records] == [b"2"]
        await asyncio.to_thread(kafka.allow, *change)
        await until(lambda: len(reader.records) == 2, within=20)
        running.cancel()
    await reader.source.close()

    assert [record.value for record in reader.records] == [b"2", b"1"]
    assert len(reader.keeper.begun) == 1
    assert reader.keeper.changes == [
        (
            "partition_forbidden",
            {
                "partition": f"{topic.name}/0",
                "offset": 0,
                "cause": "TopicAuthorizationFailedError",
            },
        )
    ]


async def test_a_group_that_may_not_be_used_any_more_is_joined_again(
    kafka: SecuredKafka, topic: Topic
) -> None:
    """Its partitions are given up, since it cannot keep them; it goes on as soon as it may."""
    group = f"group-{uuid4().hex}"
    change = (GUEST, ResourceType.GROUP, group, AclOperation.READ)
    await asyncio.to_thread(kafka.allow, GUEST, ResourceType.TOPIC, topic.name, AclOperation.READ)
    await asyncio.to_thread(kafka.allow, *change)
    reader = Member(login(kafka, GUEST, "PLAIN"), Subscription((topic.name,), group))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reader.run())
        await until(lambda: reader.keeper.owned, within=30)
        await asyncio.to_thread(kafka.forbid, *change)
        await until(lambda: reader.keeper.told("kafka_failed"), within=20)
        await until(lambda: not reader.keeper.owned, within=20)
        await asyncio.sleep(2)  # by now it would have been told again
        await asyncio.to_thread(kafka.allow, *change)
        await asyncio.to_thread(topic.produce, [Message(value=b"1")])
        await until(lambda: reader.records, within=20)
        running.cancel()
    await reader.source.close()

    assert reader.keeper.changes == [("kafka_failed", {"cause": "GroupAuthorizationFailedError"})]
