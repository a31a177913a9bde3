"""What was seen in a run of chaos: events, requests, connections, incidents, commits, letters."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from kafka.cluster import Committed
from system.chaos.load import Event, Origin
from system.chaos.plan import TUNER_SECONDS
from system.chaos.proxy import Link

from ingestor.devkit.fake_tuner import Entry

# An answer takes its way through two sockets and a busy machine.
_WAY_SECONDS = 0.5
_SUCCESSES = frozenset({200, 201, 202, 409})
_WHOLE = frozenset({None, "delay", "drip"})


class Kind(StrEnum):
    """Name what happened to one service or to all of them; STARVED were the tests themselves."""

    KILL = "kill"
    STOP = "stop"
    FREEZE = "freeze"
    KAFKA = "kafka"
    TUNER = "tuner"
    ANSWERS = "answers"
    STARVED = "starved"


_DEAFENING = frozenset({Kind.KILL, Kind.FREEZE, Kind.STARVED})


@dataclass(slots=True)
class Incident:
    """What was done to *slot*, or to all (None), in seconds of the monotonic clock."""

    kind: Kind
    slot: int | None
    what: str
    began: float
    ended: float = inf

    def concerns(self, slot: int | None) -> bool:
        """Tell whether it hit the service in *slot*."""
        return self.slot is None or self.slot == slot


@dataclass(frozen=True, slots=True)
class Reading:
    """What the group had committed, by partition, between two moments."""

    asked: float
    answered: float
    committed: Mapping[int, Committed]


@dataclass(frozen=True, slots=True)
class Request:
    """A request for an event: its line in Tuner's log, and the service and connection it was on."""

    entry: Entry
    slot: int | None
    link: Link | None

    @property
    def arrived(self) -> float:
        """When it arrived."""
        return self.entry.arrived

    @property
    def answered(self) -> float:
        """When its answer had been given to the network, if it was."""
        return inf if self.entry.answered is None else self.entry.answered

    @property
    def gone(self) -> float:
        """When it was over: answered, or left by who sent it."""
        return min(self.answered, inf if self.link is None else self.link.left)

    @property
    def is_accepted(self) -> bool:
        """Whether Tuner has the call by it, or had it before."""
        return self.entry.stored or self.entry.duplicate

    def is_heard(self, incidents: Iterable[Incident]) -> bool:
        """Whether the service certainly got to know that it was accepted."""
        entry, link = self.entry, self.link
        if not self.is_accepted or entry.status not in _SUCCESSES or entry.fault not in _WHOLE:
            return False
        if self.answered - self.arrived > TUNER_SECONDS / 2:
            return False  # it may have been given up, on a busy machine
        until = self.answered + _WAY_SECONDS
        if entry.client_left or link is None or link.left < until:
            return False
        return not link.is_disturbed(self.arrived, until) and not any(
            incident.began <= until and incident.ended >= self._since(incident.kind)
            for incident in incidents
            if incident.kind in _DEAFENING and incident.concerns(self.slot)
        )

    def _since(self, kind: Kind) -> float:
        """Tell since when an incident of *kind* matters: where the tests had no time a request
        arrived late, and may have been given up before.
        """
        return self.arrived - TUNER_SECONDS if kind is Kind.STARVED else self.arrived


@dataclass(slots=True)
class Evidence:
    """All that was seen; *began* is when, on the monotonic clock, the plan began.

    *letters* are the origins and reasons of the dead letters, *ends* the end of each partition.
    """

    began: float
    events: dict[Origin, Event] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    letters: list[tuple[Origin, str]] = field(default_factory=list)
    requests: Mapping[Origin, Sequence[Request]] = field(default_factory=dict)
    strays: Sequence[Entry] = ()

    def sort(self, entries: Iterable[Entry], links: Mapping[int, Sequence[Link]]) -> None:
        """Find for each request its event, and among *links* (by slot) its connection.

        A request whose body never arrived whole is of no event.
        """
        by_digest = {e.digest or "": origin for origin, e in self.events.items() if e.digest}
        by_call = {e.call_id or "": origin for origin, e in self.events.items() if not e.digest}
        del by_call[""]
        way = _Connections(links)
        found: defaultdict[Origin, list[Request]] = defaultdict(list)
        strays = []
        for entry in entries:
            origin = by_digest.get(entry.sha256 or "") or by_call.get(entry.call_id or "")
            if origin:
                found[origin].append(Request(entry, *way.of(entry)))
            elif entry.call_id is not None:
                strays.append(entry)
        self.requests, self.strays = found, strays


class _Connections:
    """Finds the connection of a request by the port that the server saw."""

    def __init__(self, links: Mapping[int, Sequence[Link]]) -> None:
        self._by_port: defaultdict[int, list[tuple[float, int, Link]]] = defaultdict(list)
        for slot, ours in links.items():
            for link in ours:
                self._by_port[link.port].append((link.opened, slot, link))
        for several in self._by_port.values():
            several.sort(key=lambda one: one[0])

    def of(self, entry: Entry) -> tuple[int | None, Link | None]:
        several = self._by_port.get(entry.peer or 0, [])
        place = bisect_right([opened for opened, _, _ in several], entry.arrived)
        if not place:
            return None, None
        _, slot, link = several[place - 1]
        return slot, link
