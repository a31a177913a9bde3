"""Bodies and posts for the tests of the fake Tuner: valid by default, name only what matters."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from ingestor.devkit.fake_tuner import DEMO_KEY, FakeTuner

QUERY = "workspace_id=1&agent_remote_identifier=a1"
DEMO = {"Authorization": f"Bearer {DEMO_KEY}"}
JSON = {"Content-Type": "application/json"}
ROW = {"role": "user", "text": "My balance?", "start_ms": 2100, "duration_ms": 900}
ROWS = "transcript_with_tool_calls"


def call(**changes: Any) -> dict[str, Any]:
    """Build a body with the six required fields and one timed row."""
    return {
        "call_id": "orders-7f3a",
        "call_type": "phone_call",
        "start_timestamp": 1781108000000,
        "end_timestamp": 1781108062000,
        "recording_url": "https://media.example.com/orders-7f3a.wav",
        ROWS: [ROW],
        **changes,
    }


def call_without(*names: str) -> dict[str, Any]:
    """Build a body that lacks *names*."""
    return {name: value for name, value in call().items() if name not in names}


def call_with(**row: Any) -> dict[str, Any]:
    """Build a body whose only row is *row*."""
    return call(**{ROWS: [row]})


def call_saying(**changes: Any) -> dict[str, Any]:
    """Build a body whose only row is a valid one with *changes*."""
    return call_with(**{**ROW, **changes})


def write(body: dict[str, Any] | bytes) -> bytes:
    """Write *body* as Python's own json module does, NaN and all; bytes go as they are."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@dataclass(frozen=True)
class Answered:
    """What a client got to see."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problems(self) -> list[tuple[str, list[str | int]]]:
        """Type and place of every problem in a 422."""
        return [(problem["type"], problem["loc"]) for problem in self.json["detail"]]


async def post(
    http: aiohttp.ClientSession,
    tuner: FakeTuner,
    body: dict[str, Any] | bytes | None = None,
    *,
    query: str = QUERY,
    headers: dict[str, str] | None = None,
    path: str = "/api/v1/public/call",
    method: str = "POST",
) -> Answered:
    """Post *body* (a valid call if None) with the demo key, following no redirect."""
    async with http.request(
        method,
        URL(f"{tuner.url}{path}?{query}", encoded=True),
        data=write(call() if body is None else body),
        headers={**DEMO, **JSON} if headers is None else headers,
        skip_auto_headers=("Content-Type",),
        allow_redirects=False,
    ) as response:
        return Answered(response.status, dict(response.headers), await response.read())


def only_call(tuner: FakeTuner) -> dict[str, Any]:
    """Return the normal form of the one call that is stored."""
    (stored,) = tuner.calls
    assert stored.normalised is not None
    return stored.normalised
