"""Decides how long our own fault keeps the calls waiting: growing pauses, and one probe after each.

A hold stops everything that shares its key (a credential, its use for a workspace, a destination, a
route), since the next call would meet the same fault. After a pause one record may try; when it is
accepted the hold is over, when it meets the fault again the pause doubles.
"""

from dataclasses import dataclass

from ingestor.core.route import Route
from ingestor.core.verdict import Scope

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """What a hold stops."""

    scope: Scope
    name: str


def key(scope: Scope, route: Route) -> Key:
    """Name what a hold of *scope* on *route* stops."""
    destination = route.destination
    match scope:
        case Scope.CREDENTIAL:
            return Key(scope, destination.credential)
        case Scope.WORKSPACE:
            return Key(scope, f"{destination.credential}, workspace {route.workspace}")
        case Scope.DESTINATION:
            return Key(scope, str(destination))
        case Scope.ROUTE:
            return Key(scope, f"{destination}, workspace {route.workspace}, agent {route.agent}")


def keys(route: Route) -> tuple[Key, ...]:
    """List the holds that would stop *route*."""
    return tuple(key(scope, route) for scope in Scope)
