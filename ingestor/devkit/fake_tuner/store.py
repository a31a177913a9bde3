"""Keeps the calls that were accepted, each once."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ingestor.devkit.fake_tuner.model import MODELS
from ingestor.devkit.fake_tuner.normal_form import normalise
from ingestor.devkit.fake_tuner.options import Profile

# What a call is known by. That it is not the call_id alone is an assumption: nothing says.
Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one stored call.

    received: seconds of the monotonic clock. body: the bytes as they came, None once let go.
    """

    id: int
    workspace_id: int
    agent: str
    call_id: str
    received: float
    profile: Profile
    body: bytes | None

    @property
    def normalised(self) -> dict[str, Any] | None:
        """Return the call in normal form, worked out anew each time; None if its body is gone."""
        if self.body is None:
            return None
        return normalise(MODELS[self.profile].validate_python(json.loads(self.body)))


class Store:
    """Hold calls by workspace, agent and call_id, in the order in which they were accepted.

    keep_bodies: of how many of the newest calls the body stays; None for all.
    """

    def __init__(self, profile: Profile, keep_bodies: int | None = None) -> None:
        self._profile: Profile = profile
        self._keep_bodies = keep_bodies
        self._calls: dict[Key, Call] = {}
        self._with_body: deque[Key] = deque()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def put(self, key: Key, body: bytes, now: float) -> tuple[Call, bool]:
        """Return the call under *key* and whether it is new; a known one stays as it is."""
        if (known := self._calls.get(key)) is not None:
            return known, False
        call = Call(len(self._calls) + 1, *key, now, self._profile, body)
        self._calls[key] = call
        if self._keep_bodies is not None:
            self._with_body.append(key)
            self._let_go()
        return self._calls[key], True

    def clear(self) -> None:
        """Forget every call; ids begin at 1 again."""
        self._calls.clear()
        self._with_body.clear()

    def _let_go(self) -> None:
        if len(self._with_body) > (self._keep_bodies or 0):
            oldest = self._with_body.popleft()
            self._calls[oldest] = replace(self._calls[oldest], body=None)
