"""A deployment in which everybody has to say who they are."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest
from builders import event
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AclOperation,
    ResourceType,
)
from edge.certificates import Authority, server_context
from edge.hostile import Hostile, Peer, serving
from edge.secured_kafka import PASSWORD, PLAIN_USERS, SecuredKafka, paths, secured_kafka
from kafka.cluster import Message, Topic
from kafka.jars import fetch
from system.processes import command, service

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

READER = PLAIN_USERS[0]
KEY = "marker-api-key-c0de"
WRONG = "marker-wrong-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom everybody here trusts, and nobody elsewhere."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[SecuredKafka]:
    """A broker that demands a certificate at one door and a password at another."""
    with secured_kafka(tmp_path_factory.mktemp("secured"), fetch(os.environ), authority) as kafka:
        for user in (READER, "CN=service"):
            kafka.allow(user, ResourceType.TOPIC, "*", AclOperation.ALL)
            kafka.allow(user, ResourceType.GROUP, "*", AclOperation.ALL)
        yield kafka


@pytest.fixture
def topic(kafka: SecuredKafka) -> Topic:
    """A new topic, and one for its letters."""
    topic = kafka.cluster.create_topic(partitions=2)
    kafka.cluster.create_topic(f"{topic.name}.dead-letters", partitions=1)
    return topic


def environ(topic: Topic, door: str, url: str) -> dict[str, str]:
    """Write the settings that every deployment here has."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": door,
        "KAFKA_TOPICS": topic.name,
        "KAFKA_GROUP_ID": topic.name,
        "KAFKA_DEAD_LETTER_TOPIC": f"{topic.name}.dead-letters",
        "TUNER_BASE_URL": url,
        "TUNER_API_KEY": KEY,
        "TUNER_WORKSPACE_ID": "1",
        "TUNER_AGENT_ID": "front-desk",
    }


@asynccontextmanager
async def demanding_tuner(authority: Authority) -> AsyncIterator[Hostile]:
    """Serve a Tuner that talks only to those who show a certificate."""

    async def create(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.answer()

    own = await asyncio.to_thread(authority.sign, "tuner")
    async with serving(create, server_context(own, clients=authority.ca)) as server:
        yield server


async def test_certificates_open_both_doors(
    kafka: SecuredKafka, topic: Topic, authority: Authority
) -> None:
    """One for Kafka, its key under a password from a file, and one for Tuner: a call passes, and so
    does a letter.
    """
    cert, key = paths(await asyncio.to_thread(authority.sign, "service", password=PASSWORD))
    other_cert, other_key = paths(await asyncio.to_thread(authority.sign, "client"))
    await asyncio.to_thread(topic.produce, [Message(value=event()), Message(value=b"no event")])

    async with demanding_tuner(authority) as tuner:
        settings = environ(topic, kafka.doors["TLS"], tuner.url) | {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_FILE": authority.ca,
            "KAFKA_SSL_CERT_FILE": cert,
            "KAFKA_SSL_KEY_FILE": key,
            "KAFKA_SSL_KEY_PASSWORD": PASSWORD,
            "TUNER_CA_FILE": authority.ca,
            "TUNER_CERT_FILE": other_cert,
            "TUNER_KEY_FILE": other_key,
        }
        async with service(settings) as running:
            await running.until(lambda: tuner.requests and running.entries_of("letter"))
        status, said = await checked(settings)

    assert [request.body for request in tuner.requests][:1] == [event()]
    assert PASSWORD not in running.said
    assert status == 1, said  # this Tuner takes an empty call as well, which none does
    assert "not yet brokers" not in said
    assert PASSWORD not in said


async def test_a_wrong_password_is_said_and_waited_out(kafka: SecuredKafka, topic: Topic) -> None:
    """Alive, not ready, at a try every few seconds; and the password is on no line."""
    settings = environ(topic, kafka.doors["SASL"], "http://127.0.0.1:1") | {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": READER,
        "KAFKA_SASL_PASSWORD": WRONG,
    }

    async with service(settings) as running:
        waiting = await running.until_said("waiting_for_kafka")
        await asyncio.sleep(5)  # by now it was tried again
        assert (await running.page("livez"))[0] == 200
        assert await running.readiness() == (503, ["starting: the group is not joined yet"])
    _, said = await checked(settings)

    assert waiting["cause"] == "SaslAuthenticationFailed"
    assert len(running.entries_of("waiting_for_kafka")) == 1
    assert len(running.log) < 10
    assert "SaslAuthenticationFailed" in said
    assert {word for word in (WRONG, KEY) if word in running.said + said} == set()


async def checked(settings: Mapping[str, str]) -> tuple[int, str]:
    """Look around with the same settings; give the exit code and what was said."""
    async with command("check", "--connect", environ=settings) as running:
        status = await running.ended()
    return status, running.said
