"""What the tests of the edge share: the loops they run on, brokers, certificates."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

import pytest
import uvloop
from confluent_kafka.admin import AdminClient
from edge.certificates import Authority
from edge.posting import Client
from kafka.cluster import Cluster

from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.requests import Kind

# The service runs on uvloop, where the wire behaves differently now and then. A connection that was
# forgotten is no error there, since uvloop would hang; asyncio fails the test that forgot it.
BOTH_LOOPS = ("test_tuner_", "test_kafka_frames")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests of the wires on the loop of the service as well."""
    if item.path.name.startswith(BOTH_LOOPS):
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session", params=Kind, ids=str)
def client(request: pytest.FixtureRequest) -> Client:
    """Each of the wires to Tuner: what holds of one holds of the other, unless a test says so."""
    return Client(request.param)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker that does what it is told, with a topic of two partitions and one for letters."""
    with EmbeddedBroker() as broker:
        broker.create_topic("calls", partitions=2)
        broker.create_topic("letters", partitions=1)
        yield broker


@pytest.fixture
def group() -> str:
    """A group that never was."""
    return f"group-{uuid4().hex}"


@pytest.fixture
def admin(cluster: Cluster) -> AdminClient:
    """What changes topics."""
    return AdminClient({"bootstrap.servers": cluster.address, "log_level": 0})
