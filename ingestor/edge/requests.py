"""What a request to Tuner consists of, whichever wire carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote
from urllib.request import getproxies

from ingestor.core.route import Route
from ingestor.edge.tls import Tls

PATH = "/api/v1/public/call"
MOST_ANSWER_BYTES = 2**20
# Larger bodies are handed to the socket piece by piece: others may run in between.
LARGE_BODY_BYTES = 2**20
CONNECT_SECONDS = 5.0
# Below the idle timeout of common servers (5 s), so that a request seldom meets a connection that
# is being closed.
IDLE_SECONDS = 4.0
# Events may name any agent: the routes whose requests are kept prepared are bounded.
MOST_TARGETS = 10_000


class Kind(StrEnum):
    """The wires: connections of our own, or aiohttp's, which also go through proxies."""

    LEAN = "lean"
    AIOHTTP = "aiohttp"


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent: *timeout* of a whole request in seconds, trust and our own
    certificate, the user agent, the *proxies* by scheme, as urllib reads them of the system, and
    the *kind* of wire.
    """

    timeout: float
    tls: Tls
    user_agent: str
    proxies: Mapping[str, str] = field(default_factory=getproxies, repr=False)
    kind: Kind = Kind.AIOHTTP

    @property
    def headers(self) -> Mapping[str, str]:
        """Write the headers that every request has."""
        return {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
        }


def create_call_url(route: Route) -> str:
    """Write the address that a call for *route* is posted to, its query percent-encoded."""
    workspace, agent = quote(route.workspace, safe=""), quote(route.agent, safe="")
    query = f"workspace_id={workspace}&agent_remote_identifier={agent}"
    return f"{route.destination.base_url}{PATH}?{query}"
