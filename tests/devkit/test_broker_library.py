"""The library that the embedded broker calls is the right one, or the reason is clear."""

import pytest

from ingestor.devkit.broker_library import (
    BrokerRefusedError,
    NoBrokerError,
    load,
    new_client,
    new_cluster,
)


def test_without_confluent_kafka_the_error_says_what_to_install() -> None:
    """The demo's user reads one line, not a traceback of imports."""
    with pytest.raises(NoBrokerError, match=r"pip install 'ingestor\[demo\]'"):
        load("confluent_kafka_that_is_not_here.cimpl")


@pytest.mark.parametrize("module", ["msgspec._core", "json"])
def test_a_library_without_a_mock_cluster_is_none(module: str) -> None:
    """Neither another library nor something that is none is called blindly."""
    with pytest.raises(NoBrokerError, match=f"{module} brings no mock cluster"):
        load(module)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"no.such.setting": "1"}, "No such configuration property"),
        ({"enable.idempotence": "true", "acks": "1"}, "acks"),
    ],
)
def test_librdkafka_says_why_it_refuses(settings: dict[str, str], reason: str) -> None:
    """Its own words are in the error."""
    with pytest.raises(BrokerRefusedError, match=reason):
        new_client(load(), settings)


def test_a_cluster_lives_in_a_client() -> None:
    """The two are ended in the order opposite to that in which they were made."""
    library = load()
    client = new_client(library, {})

    cluster = new_cluster(library, client, brokers=2)

    servers = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    assert len(servers.split(",")) == 2
    library.rd_kafka_mock_cluster_destroy(cluster)
    library.rd_kafka_destroy(client)
