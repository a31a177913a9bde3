"""What is known of a route."""

from collections.abc import Set as AbstractSet

from ingestor.core.breaker import Breaker
from ingestor.core.holds import Standing, State
from ingestor.core.route import Route
from ingestor.core.verdict import Scope

SCOPES = tuple(Scope)


class Way:
    """A route, how each key that could stop it stands (in the order of `Scope`), and what is heard
    of its server. *stopped* are the standings, of any route, that are not free; *use* lives as long
    as the way.
    """

    __slots__ = ("_itself", "_server", "_stopped", "_use", "breaker", "route", "standings")

    def __init__(
        self,
        route: Route,
        standings: tuple[Standing, ...],
        breaker: Breaker,
        stopped: AbstractSet[Standing],
        use: object,
    ) -> None:
        self.route = route
        self.standings = standings
        self.breaker = breaker
        self._stopped = stopped
        self._use = use
        self._itself = self.under(Scope.ROUTE)
        self._server = self.under(Scope.SERVER)

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
        return self._server.state is State.HELD

    @property
    def is_sound(self) -> bool:
        """Whether its server works for most calls."""
        return self._server.state is State.FREE and self.breaker.is_sound

    @property
    def is_proven(self) -> bool:
        """Whether an unknown route cannot be our own fault."""
        return not self.route.is_configured or self._itself.accepted > 0

    def under(self, scope: Scope) -> Standing:
        """Find the standing of a scope."""
        return self.standings[SCOPES.index(scope)]
