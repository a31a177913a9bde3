"""Posts to Tuner over connections of its own, with next to nothing between a call and the socket.

A post of 4 KB costs an eighth of the CPU time that it costs over aiohttp (13 and 105 microseconds,
`tests/bench/wires.py`). It goes through no proxy: that is left to `tuner_aiohttp`.
"""

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.route import Route
from ingestor.edge.requests import MOST_TARGETS, Wire, create_call_url
from ingestor.edge.wire.origin import Origin, Server
from ingestor.edge.wire.prologue import Prologue

_ENDED = {Fault.DISCONNECTED, Fault.TLS}


class LeanTuner:
    """Tuner's Create Call over bare HTTP/1.1; *headers* carry the key of each credential, and a new
    key comes as a new mapping. How many requests run at once is decided elsewhere.
    """

    def __init__(
        self,
        wire: Wire,
        headers: Mapping[str, Mapping[str, str]],
        most_targets: int = MOST_TARGETS,
    ) -> None:
        self._wire = wire
        self._most_targets = most_targets
        self._headers = headers
        self._tls = wire.tls.context()
        self._origins: dict[Server, Origin] = {}
        self._targets: dict[Route, tuple[Origin, Prologue]] = {}
        self._loop = asyncio.get_running_loop()

    async def post(self, body: bytes, route: Route) -> Answer:
        """Post *body*; every foreseeable failure is an answer.

        It is posted once, unless a connection that was kept turns out to be closed already: then
        once more, on a new one.
        """
        origin, prologue = self._targets.get(route) or self._aim(route)
        head = prologue.write(self._headers[route.destination.credential], len(body))
        deadline = self._loop.time() + self._wire.timeout
        kept = origin.take()
        if kept is None:
            return await self._ask_anew(origin, head, body, deadline)
        try:
            answer = await kept.ask(head, body, deadline)
        finally:
            origin.give_back(kept)
        if isinstance(answer, Unanswered) and answer.fault in _ENDED and kept.is_stale:
            return replace(await self._ask_anew(origin, head, body, deadline), is_repeat=True)
        return answer

    async def aclose(self) -> None:
        """Close all connections."""
        for origin in self._origins.values():
            await origin.close()

    async def _ask_anew(self, origin: Origin, head: bytes, body: bytes, deadline: float) -> Answer:
        fresh = await origin.connect(deadline)
        if isinstance(fresh, Fault):
            return Unanswered(fresh)
        try:
            return await fresh.ask(head, body, deadline)
        finally:
            origin.give_back(fresh)

    def _aim(self, route: Route) -> tuple[Origin, Prologue]:
        url = create_call_url(route)
        server = Server.of(url)
        if server not in self._origins:
            self._origins[server] = Origin(server, self._tls, self._wire.timeout)
        if len(self._targets) >= self._most_targets:
            self._targets.clear()
        target = self._targets[route] = self._origins[server], Prologue(url, self._wire.headers)
        return target
