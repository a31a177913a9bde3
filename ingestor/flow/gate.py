"""Where records wait while something on their route is held, and from where one at a time goes to
probe it.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self, assert_never
from weakref import WeakSet

from ingestor.core.holds import Key, Standing, State, key
from ingestor.core.route import Route
from ingestor.core.verdict import Accepted, Hold, Refused, Scope, TryAgain, Verdict
from ingestor.flow.ports import Clock, Observer

# Events may name any agent: what is known of routes is bounded.
MOST_ROUTES = 10_000

_SCOPES = tuple(Scope)


class Way:
    """A route, and how each key that could stop it stands; in the order of `Scope`."""

    __slots__ = ("__weakref__", "route", "standings")

    def __init__(self, route: Route, standings: tuple[Standing, ...]) -> None:
        self.route = route
        self.standings = standings

    @property
    def is_free(self) -> bool:
        """Whether nothing stops it."""
        return all(standing.state is State.FREE for standing in self.standings)

    @property
    def is_proven(self) -> bool:
        """Whether an unknown route cannot be our own fault."""
        return not self.route.is_configured or self.under(Scope.ROUTE).accepted > 0

    @property
    def accepted(self) -> tuple[int, ...]:
        """How many calls each key has seen accepted."""
        return tuple(standing.accepted for standing in self.standings)

    def index(self, scope: Scope) -> int:
        """Find the place of a scope."""
        return _SCOPES.index(scope)

    def under(self, scope: Scope) -> Standing:
        """Find the standing of a scope."""
        return self.standings[_SCOPES.index(scope)]


class Gate:
    """Keeps the standings of all keys, and the records that wait for them."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._ways: dict[Route, Way] = {}
        # All that are in use, also those that `_ways` has forgotten.
        self._living: WeakSet[Way] = WeakSet()
        self._standings: dict[Key, Standing] = {}
        # Until when a destination asked to be left alone, whatever else stops it; they are as few
        # as the settings name.
        self._rests: dict[Key, float] = {}
        self._waiters: dict[Key, deque[asyncio.Future[None]]] = {}

    def way(self, route: Route) -> Way:
        """Find what is known of *route*."""
        way = self._ways.get(route)
        if way is None:
            if len(self._ways) >= MOST_ROUTES:
                self._forget()
            standings = (self._standing(key(scope, route)) for scope in _SCOPES)
            way = self._ways[route] = Way(route, tuple(standings))
            self._living.add(way)
        return way

    def passage(self, way: Way) -> "Passage":
        """Go through: `async with` waits until nothing stops *way*, or until it is this record's
        turn to probe.
        """
        return Passage(self, way)

    async def admit(self, way: Way) -> tuple[Standing, ...]:
        """Wait; return the holds that the caller now probes."""
        while stop := _stop(way):
            # Woken to probe one hold and stopped by another: the next in line may have a freer way.
            for standing in way.standings:
                if standing.state is State.READY:
                    self._wake(standing.key, 1)
            await self._wait(stop.key)
        ready = tuple(standing for standing in way.standings if standing.state is State.READY)
        for standing in ready:
            standing.state = State.PROBED
        return ready

    def learn(self, way: Way, verdict: Verdict, probed: tuple[Standing, ...]) -> None:
        """Draw the consequences of *verdict* for everything that shares a key with *way*."""
        match verdict:
            case Accepted():
                for standing in way.standings:
                    standing.accepted += 1
                self._lift(probed)
            case Refused():
                self._lift(probed)
            case TryAgain(pause=seconds) if seconds is not None:
                self._rest(way.under(Scope.DESTINATION), seconds)
            case Hold(scope=scope, cause=cause):
                self._hold(way.under(scope), cause, is_probe=way.under(scope) in probed)
            case TryAgain():
                pass
            case unknown:
                assert_never(unknown)

    def leave(self, probed: tuple[Standing, ...]) -> None:
        """Give back the right to probe, when nothing was learnt."""
        for standing in probed:
            if standing.state is State.PROBED:
                standing.repeat()
                self._pause(standing)

    def _hold(self, standing: Standing, cause: str, *, is_probe: bool) -> None:
        if is_probe:
            standing.fail(cause)
        elif standing.hold(cause):
            self._observer.held(standing.key, cause)
        else:
            return
        self._pause(standing)

    def _rest(self, standing: Standing, seconds: float) -> None:
        """Leave a destination alone; of several that were told so the longest counts."""
        until = self._clock.now() + seconds
        self._rests[standing.key] = max(until, self._rests.get(standing.key, until))
        if standing.rest(seconds):
            self._pause(standing)
        elif standing.state is State.READY:
            standing.repeat()
            self._pause(standing)

    def _lift(self, probed: tuple[Standing, ...]) -> None:
        for standing in probed:
            standing.state = State.FREE
            self._observer.lifted(standing.key)
            if (left := self._left(standing.key)) and standing.rest(left):
                self._pause(standing)
            else:
                self._wake(standing.key)

    def _pause(self, standing: Standing) -> None:
        self._clock.call_later(standing.pause, lambda: self._end_pause(standing))

    def _end_pause(self, standing: Standing) -> None:
        if left := self._left(standing.key):
            self._clock.call_later(left, lambda: self._end_pause(standing))
            return
        standing.end_pause()
        self._wake(standing.key, None if standing.state is State.FREE else 1)

    def _left(self, name: Key) -> float:
        """Compute for how many seconds a destination still wants to be left alone."""
        return max(0.0, self._rests.get(name, 0.0) - self._clock.now())

    async def _wait(self, name: Key) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(name, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake(name, 1)
            raise

    def _wake(self, name: Key, most: int | None = None) -> None:
        waiters = self._waiters.get(name, deque())
        woken = 0
        while waiters and (most is None or woken < most):
            waiter = waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                woken += 1
        if not waiters:
            self._waiters.pop(name, None)

    def _standing(self, name: Key) -> Standing:
        return self._standings.setdefault(name, Standing(name))

    def _forget(self) -> None:
        """Forget the routes, and of their keys those that nobody uses and nothing stops; what they
        proved is learnt again.
        """
        self._ways.clear()
        used = {standing.key for way in self._living for standing in way.standings}
        self._standings = {
            name: standing
            for name, standing in self._standings.items()
            if name in used or standing.state is not State.FREE
        }


class Passage:
    """One record's way through the gate, for one attempt."""

    __slots__ = ("_gate", "_probed", "_way")

    def __init__(self, gate: Gate, way: Way) -> None:
        self._gate = gate
        self._way = way
        self._probed: tuple[Standing, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it still is: a hold may begin while the record waits for a slot."""
        return all(
            standing.state is State.FREE or standing in self._probed
            for standing in self._way.standings
        )

    async def __aenter__(self) -> Self:
        """Wait."""
        if not self._way.is_free:
            self._probed = await self._gate.admit(self._way)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave; a probe that taught nothing is repeated by another."""
        self._gate.leave(self._probed)

    def learn(self, verdict: Verdict) -> None:
        """Pass on what this attempt taught."""
        self._gate.learn(self._way, verdict, self._probed)


def _stop(way: Way) -> Standing | None:
    passable = (State.FREE, State.READY)
    return next((standing for standing in way.standings if standing.state not in passable), None)
