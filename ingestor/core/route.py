"""Where a call goes."""

from msgspec import Struct


class Destination(Struct, frozen=True, gc=False, cache_hash=True):
    """A base URL plus a named credential: what can be held, throttled and limited."""

    base_url: str
    credential: str

    def __str__(self) -> str:
        return f"{self.credential}@{self.base_url}"


class Route(Struct, frozen=True, gc=False, cache_hash=True):
    """A destination and Tuner's two ids; *is_configured* when settings or routes file gave both
    ids, not the event.
    """

    destination: Destination
    workspace: str
    agent: str
    is_configured: bool = True
