"""`ingestor check --connect`: what it says of Tuner, and of a broker that is not there.

What it says of one that is there is tested with a real Kafka, among the system tests.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from brokers import reserve_port
from cli.commands import invoke, lines
from kafka.cluster import Cluster

from ingestor.devkit.fake_tuner import (
    FakeTuner,
    Fault,
    Options,
    Redirect,
    Reply,
    Reset,
    Rule,
    Script,
)

KEYS = {"key-of-settings": frozenset({1}), "key-of-acme": frozenset({3})}
GOOD = "the key is accepted (422 to an empty call)"
ROUTES = """
[credential.acme]
api_key = "key-of-acme"
base_url = "{url}"
[[route]]
topic = "a"
workspace_id = 3
agent_id = "acme-desk"
credential = "acme"
[[route]]
topic = "b"
workspace_id = 3
agent_id = "acme-desk by night"
credential = "acme"
[[route]]
topic = "*"
"""


@pytest.fixture
def nobody() -> Iterator[str]:
    """Give an address where nobody listens."""
    with reserve_port() as held:
        yield f"127.0.0.1:{held.getsockname()[1]}"


async def look_around(
    nobody: str, tuner: FakeTuner, changes: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run the command beside the loop, with five settings; give its exit code and what it found."""
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": nobody,
        "TUNER_BASE_URL": tuner.url,
        "TUNER_API_KEY": "key-of-settings",
        "TUNER_WORKSPACE_ID": "1",
        "TUNER_AGENT_ID": "front-desk",
        **(changes or {}),
    }
    result = await asyncio.to_thread(invoke, "check", "--connect", environ=settings)
    assert result.stderr == ""
    said = lines(result.stdout)
    return result.exit_code, said[said.index("settings are good") + 1 :]


def about(tuner: FakeTuner, credential: str = "default", workspace: int = 1) -> str:
    """Write of what a line about a key speaks."""
    return f"Tuner at {tuner.url}, credential {credential}, workspace {workspace}"


def options(*faults: Rule) -> Options:
    """Make a Tuner that knows two keys."""
    return Options(keys=KEYS, faults=faults)


async def test_without_a_broker_tuner_is_asked_all_the_same(nobody: str) -> None:
    """One line for all that only a broker could tell, and 1: the service could not do its work."""
    async with FakeTuner(options()).serve() as tuner:
        code, found = await look_around(nobody, tuner)

    assert found == [
        f"not yet brokers: {nobody}: ConnectionRefusedError",
        f"good {about(tuner)}: {GOOD}",
    ]
    assert code == 1
    assert tuner.calls == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Reply(401), "the key is not accepted (401)"),
        (Reply(403), "the key is not accepted, or not for this workspace (403)"),
        (Reply(404), "no such agent or workspace, or not Tuner's address (404)"),
        (Redirect("https://elsewhere.example/"), "redirects (307), which is never followed"),
        (Reply(200), "answers 200 to an empty call: is it Tuner?"),
        (Reset(), "no answer: disconnected"),
    ],
)
async def test_a_tuner_that_would_not_take_calls_is_explained(
    nobody: str, fault: Fault, said: str
) -> None:
    """In the words of what a deployer can change."""
    async with FakeTuner(options(Script(answers=(fault,)))).serve() as tuner:
        _, found = await look_around(nobody, tuner)

    assert found[-1].startswith(f"not yet {about(tuner)}: {said}")


async def test_every_key_is_asked_for_every_workspace_it_is_meant_for(
    nobody: str, tmp_path: Path
) -> None:
    """Once for each pair, however many routes name it; ids that only events name are made up."""
    file = tmp_path / "routes.toml"
    unnamed = {"TUNER_WORKSPACE_ID": "", "TUNER_AGENT_ID": "", "INGESTOR_ROUTES_FILE": str(file)}
    async with FakeTuner(options()).serve() as tuner:
        file.write_text(ROUTES.format(url=tuner.url))
        _, (_, *found) = await look_around(nobody, tuner, unnamed)

    asked = [(entry.workspace_id, entry.agent) for entry in tuner.requests]
    assert asked == [(1, "any"), (3, "acme-desk")]
    assert found == [f"good {about(tuner)}: {GOOD}", f"good {about(tuner, 'acme', 3)}: {GOOD}"]


async def test_with_all_in_place_everything_is_good(cluster: Cluster) -> None:
    """And 0; asked of a topic that is not there it says so, and that the service would wait."""
    source, letters = cluster.create_topic(), cluster.create_topic()
    names = {"KAFKA_TOPICS": source.name, "KAFKA_DEAD_LETTER_TOPIC": letters.name}
    async with FakeTuner(options()).serve() as tuner:
        code, found = await look_around(cluster.address, tuner, names)
        broken = names | {"KAFKA_TOPICS": f"{source.name}-x"}
        other_code, other_found = await look_around(cluster.address, tuner, broken)

    assert found[:3] == [
        f"good brokers: {cluster.address} answers",
        f"good topic {source.name}: exists",
        "good group tuner-ingestor: may be used",
    ]
    assert found[3].startswith(f"good dead-letter topic {letters.name}: may be written, but ")
    assert found[4:] == [f"good {about(tuner)}: {GOOD}"]
    assert code == 0
    assert other_found[1].startswith(f"not yet topic {source.name}-x: does not exist")
    assert other_code == 1
