"""What is known of each route, and of each key that could stop it."""

from collections.abc import Set as AbstractSet
from weakref import WeakSet

from ingestor.core.breaker import Breaker
from ingestor.core.holds import Key, Standing, State, key
from ingestor.core.route import Route
from ingestor.core.verdict import Scope

# Events may name any agent: what is known of routes is bounded.
MOST_ROUTES = 10_000

_SCOPES = tuple(Scope)


class Way:
    """A route, how each key that could stop it stands (in the order of `Scope`), and what is heard
    of its server. *stopped* are the standings, of any route, that are not free.
    """

    __slots__ = ("__weakref__", "_itself", "_stopped", "breaker", "route", "standings")

    def __init__(
        self,
        route: Route,
        standings: tuple[Standing, ...],
        breaker: Breaker,
        stopped: AbstractSet[Standing],
    ) -> None:
        self.route = route
        self.standings = standings
        self.breaker = breaker
        self._stopped = stopped
        self._itself = self.under(Scope.ROUTE)

    @property
    def is_free(self) -> bool:
        """Whether nothing stops it: no hold, no outage, no rest that Tuner asked for."""
        # Asked several times for every call, and hardly ever is anything stopped at all.
        return not self._stopped or self._stopped.isdisjoint(self.standings)

    @property
    def stop(self) -> Standing | None:
        """What does not let one more pass now."""
        return next((it for it in self.standings if not it.is_passable), None)

    @property
    def is_down(self) -> bool:
        """Whether its server is out of order and not to be tried now."""
        return self.under(Scope.SERVER).state is State.HELD

    @property
    def is_sound(self) -> bool:
        """Whether its server works for most calls."""
        return self.under(Scope.SERVER).state is State.FREE and self.breaker.is_sound

    @property
    def is_proven(self) -> bool:
        """Whether an unknown route cannot be our own fault."""
        return not self.route.is_configured or self._itself.accepted > 0

    def under(self, scope: Scope) -> Standing:
        """Find the standing of a scope."""
        return self.standings[_SCOPES.index(scope)]


class Ways:
    """Keeps what is known, and forgets what nobody uses."""

    def __init__(self) -> None:
        self._ways: dict[Route, Way] = {}
        # All that are in use, also those that `_ways` has forgotten.
        self._living: WeakSet[Way] = WeakSet()
        self._standings: dict[Key, Standing] = {}
        self._stopped: set[Standing] = set()
        # As few as the settings name.
        self._breakers: dict[str, Breaker] = {}

    def find(self, route: Route) -> Way:
        """Find what is known of *route*."""
        way = self._ways.get(route)
        if way is None:
            if len(self._ways) >= MOST_ROUTES:
                self._forget()
            standings = (self._standing(key(scope, route)) for scope in _SCOPES)
            breaker = self._breakers.setdefault(route.destination.base_url, Breaker())
            way = self._ways[route] = Way(route, tuple(standings), breaker, self._stopped)
            self._living.add(way)
        return way

    def _standing(self, name: Key) -> Standing:
        return self._standings.setdefault(name, Standing(name, self._stopped))

    def _forget(self) -> None:
        """Forget the routes, and of their keys those that nobody uses and nothing stops; what they
        proved is learnt again.
        """
        self._ways.clear()
        used = {standing.key for way in self._living for standing in way.standings}
        self._standings = {
            name: standing
            for name, standing in self._standings.items()
            if name in used or standing in self._stopped
        }
