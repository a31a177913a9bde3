"""What a fake Tuner can be told to do differently."""

import ssl
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from ingestor.devkit.fake_tuner.faults import Rule

Profile = Literal["current", "strict-feb", "legacy"]
Auth = Literal["both", "bearer", "xapikey"]
Duplicates = Literal["409", "is_new_false"]
Workspaces = frozenset[int] | Literal["any"]

DEMO_KEY = "demo-key"


@dataclass(frozen=True, slots=True)
class Latency:
    """Take log-normal time over each request: *median* seconds, *spread* in natural logs.

    A spread of 0 always takes the median; with 0.7 one request in six takes more than twice as
    long, which is how real services behave.
    """

    median: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Options:
    """Choose how the fake Tuner behaves; the defaults accept the demo key for everything.

    keys: API key to the workspaces it opens. agents: the known Agent IDs.
    profile: which generation of the Create Call reference judges a body. `current` is the newest
    public one, `strict-feb` the oldest with timed segments (an absent `node.from` is refused, newer
    fields are dropped), `legacy` takes `{role, content}` rows without timing and any role.
    auth: which headers count. missing_credentials: the status where there are none (old FastAPI
    answered 403). unknown_agent: the status for an Agent ID that is not among *agents*.
    duplicates: a known call_id is answered 409, or 200 with `is_new: false`; never stored again.
    nan_answer: what becomes of a 422 that cannot be written as JSON because it echoes NaN or a lone
    surrogate; 500 is what a stock FastAPI server does. trailing_slash: redirect or not found.
    any_content_type: parse whatever the Content-Type says, as older FastAPI did.
    max_body_bytes: above it 413. max_rate: requests a second, above it 429 with Retry-After.
    body_seconds: how long a body may take to arrive; after that 408.
    latency, capacity: how long a request takes and how many are served at once; those above queue.
    Answers decided before a request is served (faults, 413, 429) cost no latency and no capacity.
    keep_bodies: how many of the newest bodies stay in memory; None keeps all.
    recording_max_bytes: the size a recording upload is offered for; None offers no upload.
    faults: rules in force from the moment it first listens. seed: of latency's dice.
    tls: serve https with this context.
    """

    _: KW_ONLY
    keys: Mapping[str, Workspaces] = field(default_factory=lambda: {DEMO_KEY: "any"})
    agents: frozenset[str] | Literal["any"] = "any"
    profile: Profile = "current"
    auth: Auth = "both"
    missing_credentials: Literal[401, 403] = 401
    unknown_agent: Literal[404, 400] = 404
    duplicates: Duplicates = "409"
    nan_answer: Literal[500, 422] = 500
    trailing_slash: Literal[307, 404] = 307
    any_content_type: bool = False
    max_body_bytes: int | None = None
    max_rate: float | None = None
    body_seconds: float = 30.0
    latency: Latency = Latency()
    capacity: int | None = None
    keep_bodies: int | None = None
    recording_max_bytes: int | None = 10 * 1024 * 1024
    faults: tuple[Rule, ...] = ()
    seed: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if self.capacity is not None and self.capacity < 1:
            raise ValueError("capacity must be at least 1: nothing would ever be served")
        if self.max_rate is not None and self.max_rate <= 0:
            raise ValueError("max_rate must be above 0: nothing would ever be served")
