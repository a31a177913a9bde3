"""Decides what a name that is no setting is: a slip of the pen, or somebody else's."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping

from ingestor.settings.catalogue import BY_NAME, ENVIRONMENT_NAMES, SECTIONS
from ingestor.settings.problems import Problem

# Measured on 76 slips and 110 names that Kafka's images, tools and Kubernetes use: 0.8 refuses 53
# of the slips and of the others only Java's key stores, which are known by name; the next band is
# worth a hint, and below 0.65 hints are mostly noise.
_SURELY_MEANT = 0.8
_PERHAPS_MEANT = 0.65

_PREFIXES = tuple(f"{section}_".upper() for section in SECTIONS)
# What Kubernetes sets in every container for every Service in its namespace.
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)(_|$)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_|$)")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
_JAVA = re.compile(r"(KEY|TRUST)STORE|_OPTS$")


def is_ours(name: str, value: str) -> bool:
    """Say whether the variable *name* was set for us.

    A Service called `ingestor-ops` makes Kubernetes set INGESTOR_OPS_PORT to `tcp://...`.
    """
    return name in ENVIRONMENT_NAMES and not _is_service_link(name, value)


def strangers(environ: Mapping[str, str]) -> tuple[list[Problem], list[Problem]]:
    """Return the slips, which refuse to start, and the foreign names, which only warn."""
    slips, foreign = [], []
    for name, value in environ.items():
        if not name.upper().startswith(_PREFIXES) or is_ours(name, value):
            continue
        if _is_service_link(name, value):
            foreign.append(Problem(name, "is set by Kubernetes for a Service: ignored"))
        elif _JAVA.search(name):
            foreign.append(Problem(name, "is set for Kafka's own tools: ignored"))
        elif meant := _slip(name.upper()):
            slips.append(Problem(name, f"is not a setting: {meant}"))
        else:
            hint = _closest(name.upper(), ENVIRONMENT_NAMES, at_least=_PERHAPS_MEANT)
            perhaps = f" (perhaps {hint} is meant)" if hint else ""
            foreign.append(Problem(name, f"is not a setting: ignored{perhaps}"))
    return slips, foreign


def unknown_keys(
    table: Mapping[str, object], known: Iterable[str], *, place: str
) -> Iterator[Problem]:
    """Yield the keys of a TOML *table* at *place* that nobody reads."""
    allowed = list(known)
    for key in table:
        if key in allowed:
            continue
        close = difflib.get_close_matches(key.lower(), allowed, n=1)
        advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(allowed)}"
        yield Problem(f"{place}{key}", f"is not known here; {advice}")


def _is_service_link(name: str, value: str) -> bool:
    address = name.endswith("_PORT") and _SERVICE_ADDRESS.match(value)
    return bool(address or _SERVICE_LINK.search(name))


def _slip(name: str) -> str | None:
    plain = name.removesuffix("_FILE")
    if plain != name and plain in BY_NAME:
        return f"only secrets are read from files; set {plain} itself"
    close = _closest(name, ENVIRONMENT_NAMES, at_least=_SURELY_MEANT)
    return f"did you mean {close}? Rename or remove it" if close else None


def _closest(name: str, known: Iterable[str], *, at_least: float) -> str | None:
    # Compared without the prefix: it is alike in all of them and would make everything close.
    prefix, _, rest = name.partition("_")
    candidates = [other.removeprefix(f"{prefix}_") for other in known if other.startswith(prefix)]
    close = difflib.get_close_matches(rest, sorted(candidates), n=1, cutoff=at_least)
    return f"{prefix}_{close[0]}" if close else None
