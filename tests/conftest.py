"""What tests run under: brokers, and in the rooms of the loop a blocking call of ours fails."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster
from hypothesis import settings

# A machine that is busy with something else is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# The rooms whose code runs on the loop.
_ON_THE_LOOP = {"flow", "edge"}


def pytest_configure(config: pytest.Config) -> None:
    """Load the broker fixtures."""
    config.pluginmanager.import_plugin("kafka.plugin")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a developer run more chaos than everybody has to wait for."""
    group = parser.getgroup("chaos")
    group.addoption("--chaos-minutes", type=float, help="run new seeds of chaos for so long")
    group.addoption("--chaos-seed", help="run these seeds of chaos: 7, or 1-50")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: else, in the end, everybody waits for the last of it."""
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.fixture(scope="session")
def blocking_alarm() -> BlockBuster:
    """What raises when the service's own code blocks a running loop; built once, since that is
    slow.
    """
    return BlockBuster("ingestor")


@pytest.fixture(autouse=True)
def blocking_calls_fail(
    request: pytest.FixtureRequest, blocking_alarm: BlockBuster
) -> Iterator[None]:
    """Arm the alarm for tests of the rooms that run on the loop."""
    if request.path.parent.name not in _ON_THE_LOOP:
        yield
        return
    blocking_alarm.activate()
    try:
        yield
    finally:
        blocking_alarm.deactivate()
