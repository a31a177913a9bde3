"""The ways that are known, and how each key that could stop one stands."""

from weakref import WeakSet

from ingestor.core.breaker import Breaker
from ingestor.core.holds import Key, Standing, key
from ingestor.core.route import Route
from ingestor.flow.way import SCOPES, Way

# Events may name any agent: what is known of routes is bounded.
MOST_ROUTES = 10_000


class _Use:
    """Tells that a way with these *standings* is in use: a compiled one cannot be told by weak
    references itself.
    """

    __slots__ = ("__weakref__", "standings")

    def __init__(self, standings: tuple[Standing, ...]) -> None:
        self.standings = standings


class Ways:
    """Keeps what is known, and forgets what nobody uses."""

    def __init__(self) -> None:
        self._ways: dict[Route, Way] = {}
        # Of all that are in use, also of those that `_ways` has forgotten.
        self._uses: WeakSet[_Use] = WeakSet()
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
            way = self._ways[route] = self._begin(route)
        return way

    def _begin(self, route: Route) -> Way:
        standings = tuple(self._standing(key(scope, route)) for scope in SCOPES)
        breaker = self._breakers.setdefault(route.destination.base_url, Breaker())
        use = _Use(standings)
        self._uses.add(use)
        return Way(route, standings, breaker, self._stopped, use)

    def _standing(self, name: Key) -> Standing:
        return self._standings.setdefault(name, Standing(name, self._stopped))

    def _forget(self) -> None:
        """Forget the routes, and of their keys those that nobody uses and nothing stops; what they
        proved is learnt again.
        """
        self._ways.clear()
        used = {standing.key for use in self._uses for standing in use.standings}
        self._standings = {
            name: standing
            for name, standing in self._standings.items()
            if name in used or standing in self._stopped
        }
