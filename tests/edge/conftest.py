"""What the tests of the edge share: the loops they run on, brokers, certificates."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop
from edge.certificates import Authority

# The wire behaves differently on the two; the service runs on uvloop.
BOTH_LOOPS = "test_tuner_"


def pytest_configure(config: pytest.Config) -> None:
    """Load the broker fixtures by name, so that a conftest above may load the same ones."""
    config.pluginmanager.import_plugin("kafka.plugin")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the loop of the service, those of the wire on asyncio's own as well."""
    if item.path.name.startswith(BOTH_LOOPS):
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))
