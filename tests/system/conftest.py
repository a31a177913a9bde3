"""Loads the broker fixtures for the system tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin by its name, so that a conftest above may load the same one."""
    config.pluginmanager.import_plugin("kafka.plugin")
