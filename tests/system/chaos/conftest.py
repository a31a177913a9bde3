"""The broker of the chaos tests, and the seeds that they run."""

import os
from collections.abc import Iterator, Sequence
from math import ceil
from random import Random, SystemRandom

import pytest
from kafka.jars import fetch
from system.chaos.plan import MOST_SLOTS
from system.chaos.proxied_kafka import ProxiedKafka, proxied_kafka

# What every run of the tests repeats.
ALWAYS = (3, 8)
# What a seed takes from begin to end.
SEED_SECONDS = 40


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each seed as a test of its own, named by it; without a choice on both wires."""
    if "chaos_seed" in metafunc.fixturenames:
        chosen = _chosen(metafunc.config)
        metafunc.parametrize("chaos_seed", ALWAYS if chosen is None else chosen)
        metafunc.parametrize("wire", ["lean", "aiohttp"] if chosen is None else ["any"])


def _chosen(config: pytest.Config) -> Sequence[int] | None:
    chosen, minutes = config.getoption("--chaos-seed"), config.getoption("--chaos-minutes")
    if chosen is not None:
        first, _, last = str(chosen).partition("-")
        return range(int(first), int(last or first) + 1)
    if minutes is not None:
        # The processes that share the tests out have to agree about them.
        shared = getattr(config, "workerinput", {}).get("testrunuid")
        dice = Random(shared) if shared else SystemRandom()
        return [dice.getrandbits(32) for _ in range(ceil(minutes * 60 / SEED_SECONDS))]
    return None


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    """Give a broker of its own, with a door for each service."""
    folder = tmp_path_factory.mktemp("kafka")
    with proxied_kafka(folder, fetch(os.environ), MOST_SLOTS) as running:
        yield running
