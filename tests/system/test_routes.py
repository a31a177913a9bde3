"""Where calls go: by header, by their own fields, by the routes file, by the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import event
from kafka.cluster import Cluster, Headers
from system.deployment import calls, deployment, message, messages

from ingestor.devkit.fake_tuner import Options

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

# Each key opens its own workspaces and no others: a call with a wrong one is answered 403.
KEYS = {
    "key-of-settings": frozenset({1, 2}),
    "key-of-acme": frozenset({3}),
    "key-of-globex": frozenset({4}),
}
ROUTES = """
[credential.acme]
api_key = "key-of-acme"
[credential.globex]
api_key = "key-of-globex"
[[route]]
field = "metadata.tenant"
value = "acme"
workspace_id = 3
agent_id = "acme-desk"
credential = "acme"
[[route]]
topic = "test-*"
field = "metadata.tenant"
values = ["globex", 7]
workspace_id = 4
credential = "globex"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What an event says of its way, and to which workspace and agent it goes."""

    name: str
    goes: tuple[int, str]
    headers: Headers = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("nothing", (1, "front-desk")),
    Case(
        "headers",
        (2, "night desk"),
        (("tuner-workspace-id", b"2"), ("tuner-agent-id", b"night desk")),
    ),
    Case("one header", (1, "büro & co"), (("tuner-agent-id", "büro & co".encode()),)),
    Case("fields", (2, "own"), (), {"workspace_id": 2, "agent_remote_identifier": "own"}),
    Case("field in a string", (2, "front-desk"), (), {"workspace_id": "2"}),
    Case(
        "header before field",
        (1, "own"),
        (("tuner-workspace-id", b"1"),),
        {"workspace_id": 2, "agent_remote_identifier": "own"},
    ),
    Case("file", (3, "acme-desk"), (), {"metadata": {"tenant": "acme"}}),
    Case("file without agent", (4, "front-desk"), (), {"metadata": {"tenant": "globex"}}),
    Case("file by number", (4, "front-desk"), (), {"metadata": {"tenant": 7}}),
    Case(
        "field before file",
        (3, "own"),
        (),
        {"metadata": {"tenant": "acme"}, "agent_remote_identifier": "own"},
    ),
    Case("no route of the file", (1, "front-desk"), (), {"metadata": {"tenant": "initech"}}),
)


async def test_each_event_goes_where_it_says(cluster: Cluster, tmp_path: Path) -> None:
    """Each key is shown only to the workspace it belongs to, and no body is changed on the way."""
    bodies = {case.name: event(call_id=case.name, **case.fields) for case in CASES}
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    settings = {"TUNER_API_KEY": "key-of-settings", "INGESTOR_ROUTES_FILE": str(routes)}
    async with deployment(cluster, Options(keys=KEYS)) as here, here.service(settings) as running:
        await here.publish(message(case.name, bodies[case.name], case.headers) for case in CASES)
        await here.until_finished(running)

    stored = {call.call_id: (call.workspace_id, call.agent) for call in here.tuner.calls}
    assert stored == {case.name: case.goes for case in CASES}
    assert here.bodies() == bodies
    assert here.tuner.summary().statuses == {201: len(CASES)}


async def test_a_foreign_workspace_does_not_stop_the_others(cluster: Cluster) -> None:
    """The key goes on where it is welcome; where it is not, calls wait until it is."""
    keys: dict[str, Any] = {"key-of-settings": frozenset({1})}
    foreign = [
        message(name, value, (("tuner-workspace-id", b"2"),))
        for name, value in calls(5, "foreign").items()
    ]
    ours = calls(300, "ours")
    settings = {"TUNER_API_KEY": "key-of-settings"}
    async with deployment(cluster, Options(keys=keys)) as here, here.service(settings) as running:
        await here.publish(foreign)
        held = await running.until_said("held")
        await here.publish(messages(ours))
        await running.until(lambda: len(here.tuner.calls) == len(ours))
        assert (held["what"], held["cause"]) == ("workspace default, workspace 2", "forbidden")
        status, (reason,) = await running.readiness()
        assert status == 503
        assert reason.startswith(f"held: {held['what']} (forbidden) since ")

        keys["key-of-settings"] = frozenset({1, 2})
        await here.until_finished(running)
        await running.until_ready()

    assert len(here.tuner.calls) == len(ours) + len(foreign)
    assert await here.letters() == []
