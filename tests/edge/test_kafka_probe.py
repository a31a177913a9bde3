"""A broker is asked for what the service needs of it, and says what is missing."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from brokers import EmbeddedKafka
from edge.hostile import Peer, serving
from kafka.cluster import Cluster, Topic
from kafka.plugin import cluster_of

from ingestor.core.finding import Finding
from ingestor.devkit.embedded_broker import DISCONNECT, Api, EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_probe import PAUSES, probe_kafka
from ingestor.edge.tls import Tls

# The embedded broker knows nothing of settings.
WRITABLE = (
    "may be written, but its settings may not be read: see for yourself that it is not compacted "
    "(or grant DescribeConfigs)"
)
MISSING = "does not exist, or may not be seen; the service would wait"


async def findings(
    address: str, *topics: str, dead: str = "letters", group: str = "group"
) -> list[Finding]:
    """Probe the broker at *address*."""
    probe = probe_kafka(
        Connection(address, "test"), topics=topics, group_id=group, dead_letter_topic=dead
    )
    return [finding async for finding in probe]


def good(address: str) -> list[Finding]:
    """Find all as it should be."""
    return [
        Finding("brokers", is_good=True, how=f"{address} answers"),
        Finding("topic calls", is_good=True, how="exists"),
        Finding("group group", is_good=True, how="may be used"),
        Finding("dead-letter topic letters", is_good=True, how=WRITABLE),
    ]


async def test_a_broker_that_has_it_all_is_good(broker: EmbeddedBroker) -> None:
    """Each thing is named that was looked at."""
    address = broker.bootstrap_servers

    assert await findings(address, "calls") == good(address)


@pytest.mark.kafka
async def test_nothing_is_changed_by_asking(cluster: Cluster, topic: Topic) -> None:
    """No record is written, no topic made, and no group."""
    before = await asyncio.to_thread(cluster.topics)
    group = f"group-{uuid4().hex}"

    found = await findings(cluster.address, topic.name, "no-such", dead=topic.name, group=group)

    assert [finding.is_good for finding in found] == [True, True, False, True, True]
    assert await asyncio.to_thread(topic.read_all) == []
    assert await asyncio.to_thread(topic.committed, group) == {}
    assert await asyncio.to_thread(cluster.topics) == before


async def test_a_topic_that_is_missing_is_named(broker: EmbeddedBroker) -> None:
    """Each of them; this broker would make up a topic that it is asked for."""
    found = await findings(broker.bootstrap_servers, "callz", "calls", "call")

    assert found[1:4] == [
        Finding("topic callz", is_good=False, how=MISSING),
        Finding("topic calls", is_good=True, how="exists"),
        Finding("topic call", is_good=False, how=MISSING),
    ]
    topics = await asyncio.to_thread(cluster_of(EmbeddedKafka(broker)).topics)
    assert topics == {"calls", "letters"}


async def test_a_broker_that_is_missing_is_all_there_is_to_say() -> None:
    """Of the rest nobody can tell."""

    async def hang_up(_: Peer) -> None:
        pass

    async with serving(hang_up) as server:
        address = f"127.0.0.1:{server.port}"
        assert await findings(address, "calls") == [
            Finding("brokers", is_good=False, how=f"{address}: KafkaConnectionError")
        ]


async def test_a_certificate_that_is_missing_is_said(tmp_path: Path) -> None:
    """Like everything that stands between us and the brokers."""
    connection = Connection("127.0.0.1:1", "test", "SSL", Tls(str(tmp_path / "ca.pem")))
    probe = probe_kafka(connection, topics=["calls"], group_id="group", dead_letter_topic="dead")

    assert [finding async for finding in probe] == [
        Finding("brokers", is_good=False, how="127.0.0.1:1: FileNotFoundError")
    ]


@pytest.mark.parametrize("code", [29, 30])
async def test_a_group_that_may_not_be_used_is_named(broker: EmbeddedBroker, code: int) -> None:
    """It is asked for once: that does not pass by itself."""
    broker.fail_next(Api.OFFSET_FETCH, [code])

    found = await findings(broker.bootstrap_servers, "calls")

    assert (found[2].what, found[2].is_good) == ("group group", False)
    assert found[2].how.startswith("may not be used (")
    assert found[3].is_good


async def test_a_group_is_asked_for_again_while_its_offsets_are_being_made(
    broker: EmbeddedBroker,
) -> None:
    """The first group of a cluster has to wait for a topic of Kafka's own."""
    loading = 14
    broker.fail_next(Api.OFFSET_FETCH, [loading] * (len(PAUSES) - 2))
    address = broker.bootstrap_servers

    assert await findings(address, "calls") == good(address)


async def test_a_group_that_never_comes_is_named_at_last(broker: EmbeddedBroker) -> None:
    """Somebody waits for what is found."""
    broker.fail_next(Api.OFFSET_FETCH, [14] * 50)

    async with asyncio.timeout(sum(PAUSES) + 5):
        found = await findings(broker.bootstrap_servers, "calls")

    assert not found[2].is_good


@pytest.mark.parametrize(
    ("code", "is_good", "how"),
    [
        (87, True, WRITABLE),
        (6, True, WRITABLE),
        (29, False, "may not be written; grant Write and Describe to this user"),
        (3, False, "does not exist; create it, or let the brokers create topics"),
        (44, False, "PolicyViolationError"),
        (DISCONNECT, False, "KafkaConnectionError"),
    ],
)
async def test_the_answer_to_a_bad_batch_tells_of_the_dead_letter_topic(
    broker: EmbeddedBroker, code: int, how: str, *, is_good: bool
) -> None:
    """Whoever may not write hears so before anybody looks at the batch."""
    broker.fail_next(Api.PRODUCE, [code])

    found = await findings(broker.bootstrap_servers, "calls")

    assert found[3] == Finding("dead-letter topic letters", is_good, how)


@pytest.mark.system
async def test_a_missing_dead_letter_topic_would_be_made(cluster: Cluster, topic: Topic) -> None:
    """As Apache Kafka says it; here nobody makes it, unless its source is missing as well."""
    found = await findings(cluster.address, topic.name, dead="no-such-letters")

    how = "does not exist; the service will make it"
    assert found[3] == Finding("dead-letter topic no-such-letters", is_good=True, how=how)
    assert "no-such-letters" not in await asyncio.to_thread(cluster.topics)

    found = await findings(cluster.address, "no-such", dead="no-such-letters")
    how = "does not exist; create it, or let the brokers create topics"
    assert found[3] == Finding("dead-letter topic no-such-letters", is_good=False, how=how)


@pytest.mark.system
async def test_what_endangers_letters_is_said(cluster: Cluster, topic: Topic) -> None:
    """A compacted topic refuses to start; one that forgets is told."""
    compacted = await asyncio.to_thread(cluster.create_topic, config={"cleanup.policy": "compact"})

    found = await findings(cluster.address, topic.name, dead=compacted.name)
    assert not found[3].is_good
    assert "is compacted" in found[3].how

    found = await findings(cluster.address, topic.name, dead=topic.name)
    assert found[3].is_good
    assert found[3].how.startswith("may be written, but letters are removed after 7 days")


@pytest.mark.system
async def test_what_a_broker_would_refuse_to_make_is_said(cluster: Cluster, topic: Topic) -> None:
    """Here a name that Kafka cannot tell from that of another topic."""
    name = uuid4().hex
    await asyncio.to_thread(cluster.create_topic, f"letters.{name}")

    found = await findings(cluster.address, topic.name, dead=f"letters_{name}")

    assert not found[3].is_good
    assert "InvalidTopicError" in found[3].how
