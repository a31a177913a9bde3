"""Records at the gate, without anything behind it: the test is what answers them."""

import asyncio

from fake_clock import FakeClock, LoadedDice
from fakes import RecordingObserver
from flow.road import DESTINATION, ROUTE, Yard
from msgspec.structs import replace

from ingestor.core.effort import Effort
from ingestor.core.holds import Key, State, key
from ingestor.core.route import Destination, Route
from ingestor.core.verdict import Accepted, Hold, Refused, Scope, TryAgain, Verdict
from ingestor.flow.gate import Gate
from ingestor.flow.notices import Notices
from ingestor.flow.way import Way

ACCEPTED = Accepted()
REFUSED = Refused(422, "Tuner answered 422")
AGAIN = TryAgain("status_425", status=425)
BROKEN = TryAgain("status_500", status=500)
UNAUTHORIZED = Hold(Scope.CREDENTIAL, "unauthorized", 401)
FORBIDDEN = Hold(Scope.WORKSPACE, "forbidden", 403)
NOT_TUNER = Hold(Scope.DESTINATION, "not_tuner", 200)
UNKNOWN_ROUTE = Hold(Scope.ROUTE, "unknown_route", 404)

OTHER_AGENT = replace(ROUTE, agent="night-desk")
OTHER_WORKSPACE = replace(ROUTE, workspace="8")
OTHER_BASE_URL = replace(ROUTE, destination=Destination("https://other.test", "default"))
OTHER_CREDENTIAL = replace(ROUTE, destination=replace(DESTINATION, credential="second"))


def rest(seconds: float) -> TryAgain:
    """Say that Tuner asked to be left alone."""
    return TryAgain("status_429", seconds, 429)


class Crowd:
    """Records that want through: each tries until it is accepted or refused; *inside* are those
    that have passed the gate and wait for their verdict, *through* those that have it. *probes*
    names the keys that stopped those inside, but for their right to probe.
    """

    def __init__(self, yard: Yard) -> None:
        self.clock = FakeClock()
        self.observer = RecordingObserver()
        self.dice = LoadedDice(0.0)
        self.notices = Notices(self.clock, self.observer)
        self.gate = Gate(self.clock, self.dice, self.notices)
        self.through: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.routes: dict[str, Route] = {}
        self.probes: dict[str, list[Key]] = {}
        self._verdicts: dict[str, asyncio.Future[Verdict]] = {}
        self._yard = yard

    @property
    def inside(self) -> list[str]:
        """Those on the other side of the gate, in the order in which they passed it."""
        return [name for name, verdict in self._verdicts.items() if not verdict.done()]

    @property
    def waiting(self) -> list[str]:
        """Those in front of it."""
        return [
            name
            for name, task in self.tasks.items()
            if not task.done() and name not in self._verdicts
        ]

    def come(self, *names: str, route: Route = ROUTE) -> None:
        """Have records named *names* come to the gate."""
        for name in names:
            self.routes[name] = route
            self.tasks[name] = self._yard.start(self._travel(name, route))

    def answer(self, name: str, verdict: Verdict) -> None:
        """Give *name* its verdict."""
        self._verdicts[name].set_result(verdict)

    async def hold(self, verdict: Hold, *others: str) -> Key:
        """Have a record `first` meet *verdict* and *others* come behind it; return what is held."""
        self.come("first")
        await self.clock.advance(0)
        self.answer("first", verdict)
        await self.clock.advance(0)
        self.come(*others)
        await self.clock.advance(0)
        assert not {"first", *others} & set(self.inside)
        return key(verdict.scope, ROUTE)

    async def probe(self, verdict: Verdict) -> str:
        """Let time pass until somebody probes, alone, and give that probe its *verdict*."""
        await self.clock.advance_until(lambda: bool(self.inside))
        (name,) = self.inside
        self.answer(name, verdict)
        await self.clock.advance(0)
        return name

    async def _travel(self, name: str, route: Route) -> None:
        way = self.gate.way(route)
        effort = Effort()
        verdict: Verdict | None = None
        while not isinstance(verdict, Accepted | Refused):
            passage = self.gate.passage(way, effort)
            try:
                await passage.wait()
                assert passage.is_open
                passage.begin(self.clock.wall())
                verdict = await self._answered(name, way)
                passage.learn(verdict)
            finally:
                passage.leave()
        self.through.append(name)

    async def _answered(self, name: str, way: Way) -> Verdict:
        self.probes[name] = [it.key for it in way.standings if it.state is not State.FREE]
        self._verdicts[name] = asyncio.get_running_loop().create_future()
        try:
            return await self._verdicts[name]
        finally:
            del self._verdicts[name], self.probes[name]
