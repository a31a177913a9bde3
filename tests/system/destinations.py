"""Several Tuners behind one service: a credential and a route for each, by `metadata.case`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from builders import event
from kafka.cluster import Message
from system.deployment import message

from ingestor.devkit.fake_tuner import DEMO_KEY, FakeTuner, Options, Rule

AGENT = "front-desk"
WORKSPACE = 1


@asynccontextmanager
async def tuners(faults: Mapping[str, Sequence[Rule]]) -> AsyncIterator[dict[str, FakeTuner]]:
    """Serve a Tuner with its own *faults* for each name."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(FakeTuner(Options(faults=tuple(rules))).serve())
            for name, rules in faults.items()
        }


def write_routes(file: Path, served: Mapping[str, FakeTuner]) -> dict[str, str]:
    """Write the routes *file* that leads to them; return the setting that names it."""
    file.write_text("".join(_route(name, tuner.url) for name, tuner in served.items()))
    return {"INGESTOR_ROUTES_FILE": str(file)}


def case_events(name: str, count: int) -> list[Message]:
    """Make *count* events for the Tuner called *name*; their call_ids begin with it."""
    names = [f"{name} {number}" for number in range(count)]
    return [message(it, event(call_id=it, metadata={"case": name})) for it in names]


def _route(name: str, url: str) -> str:
    return f"""
[credential."{name}"]
api_key = "{DEMO_KEY}"
base_url = "{url}"
[[route]]
field = "metadata.case"
value = "{name}"
workspace_id = {WORKSPACE}
agent_id = "{AGENT}"
credential = "{name}"
"""
