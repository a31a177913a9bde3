"""What has to be true of every run of chaos, whatever happened in it.

**Nothing lost.** Every event is accepted by Tuner, or among the letters, or was to be ignored.

**No letter too many.** Only what is malformed or refused dies, for its own reason.

**Order**, without exception: the first request for an event arrives after the event before it of
the same call was accepted. Whoever posts an event had the one before it accepted itself, or began
behind it; so neither a crash nor a service that wakes up late can change it.

**One at a time**: of one call no two requests are under way at once. Excused where a request was
under way when its service was killed, stood still or lost touch with Kafka: the group then gave the
partition to another, and nobody can take back what is on the wire.

**Hardly anything twice**: an event is not posted again after its acceptance was heard. Excused is
what was in flight when a service was killed, stood still or lost touch with Kafka: heard so shortly
before that no commit can have said so, or since then; and what was on its way to Tuner while a
service stood still or lost touch.

**What is committed is done**: what a commit covers, by its offset or by its memo, is not posted
any more, but by a service that stood still or lost touch; and **commits never go back**.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kafka.cluster import Committed
from system.chaos.evidence import Evidence, Incident, Kind, Request
from system.chaos.load import Origin

from ingestor.core.memo import read
from ingestor.devkit.sample_calls import Outcome

# Commits go out every second; the rest is for a busy machine.
COMMITTED_WITHIN = 2.5
# A commit that Kafka did not answer is given up after five seconds, and the next follows.
RECOVERED_WITHIN = 6.0
# A service that wakes up begins nothing before the group has answered; what it had written before
# takes its time through our proxies.
AWAKE_WITHIN = 0.5
# The log tells of a request's end a moment after the answer is on its way.
_MOMENT = 0.05

_LOST_TOUCH = (Kind.FREEZE, Kind.KAFKA)
_UNCOMMITTED = (Kind.KILL, *_LOST_TOUCH)


@dataclass(frozen=True, slots=True)
class Violation:
    """A *law* that was broken, at which records, and how."""

    law: str
    origins: tuple[Origin, ...]
    how: str


def violations(seen: Evidence) -> list[Violation]:
    """Hold *seen* against every law."""
    laws: tuple[Callable[[Evidence], Iterable[Violation]], ...] = (
        nothing_is_lost,
        no_letter_too_many,
        nothing_is_made_up,
        order_is_kept,
        one_at_a_time,
        hardly_anything_twice,
        what_is_committed_is_done,
        commits_never_go_back,
    )
    return [violation for law in laws for violation in law(seen)]


def nothing_is_lost(seen: Evidence) -> Iterator[Violation]:
    """Every event ends as it has to."""
    letters = dict(seen.letters)
    for origin, event in seen.events.items():
        is_accepted = any(request.is_accepted for request in seen.requests.get(origin, ()))
        if event.outcome is Outcome.DELIVERED and not is_accepted:
            yield Violation(
                "nothing is lost", (origin,), f"a good event ({event.label}) is missing"
            )
        if event.outcome is Outcome.DEAD and origin not in letters:
            yield Violation("nothing is lost", (origin,), f"no letter for what is {event.label}")


def no_letter_too_many(seen: Evidence) -> Iterator[Violation]:
    """Nothing dies that can live, and what dies dies of what is wrong with it."""
    for origin, reason in seen.letters:
        event = seen.events.get(origin)
        expected = None if event is None else event.reason
        if reason != expected:
            yield Violation("no letter too many", (origin,), f"{reason}, expected {expected}")


def nothing_is_made_up(seen: Evidence) -> Iterator[Violation]:
    """What is posted was published, and was to be posted."""
    for entry in seen.strays:
        yield Violation("nothing is made up", (), f"request {entry.order} for {entry.call_id}")
    for origin, requests in seen.requests.items():
        if seen.events[origin].outcome is Outcome.IGNORED and requests:
            yield Violation("nothing is made up", (origin,), "posted what was to be ignored")


def order_is_kept(seen: Evidence) -> Iterator[Violation]:
    """An event is posted after the one before it was accepted."""
    for _, origins in _calls(seen):
        for before, after in pairwise(origins):
            accepted = [r.answered for r in seen.requests.get(before, ()) if r.is_accepted]
            posted = [r.arrived for r in seen.requests.get(after, ())]
            if posted and (not accepted or min(posted) < min(accepted) - _MOMENT):
                yield Violation("order", (before, after), "overtaken by the event behind it")


def one_at_a_time(seen: Evidence) -> Iterator[Violation]:
    """Requests of one call do not overlap."""
    for call_id, origins in _calls(seen):
        requests = sorted(
            ((r, origin) for origin in origins for r in seen.requests.get(origin, ())),
            key=lambda pair: pair[0].arrived,
        )
        under_way: list[tuple[Request, Origin]] = []
        for request, origin in requests:
            under_way = [pair for pair in under_way if pair[0].gone > request.arrived + _MOMENT]
            for earlier, its in under_way:
                if not _may_overlap(earlier, request, seen.incidents):
                    how = f"{call_id}: {earlier.entry.order} and {request.entry.order} overlap"
                    yield Violation("one at a time", (its, origin), how)
            under_way.append((request, origin))


def hardly_anything_twice(seen: Evidence) -> Iterator[Violation]:
    """What was heard to be accepted is posted again only where it was in flight."""
    for origin, requests in seen.requests.items():
        heard = next((r for r in requests if r.is_heard(seen.incidents)), None)
        if heard is None:
            continue
        for again in requests:
            if again.arrived <= heard.answered + _MOMENT or _may_repeat(heard, again, seen):
                continue
            how = f"accepted in {heard.entry.order}, posted again in {again.entry.order}"
            yield Violation("hardly anything twice", (origin,), how)


def what_is_committed_is_done(seen: Evidence) -> Iterator[Violation]:
    """What a commit covers, by its offset or by its memo, is not posted any more."""
    for origin, since in _covered(seen).items():
        for request in seen.requests.get(origin, ()):
            if request.arrived > since and not _is_late(request, since, seen.incidents):
                how = f"posted in {request.entry.order}, though committed before"
                yield Violation("what is committed is done", (origin,), how)


def commits_never_go_back(seen: Evidence) -> Iterator[Violation]:
    """What was read later is never less."""
    for earlier, later in pairwise(seen.readings):
        for partition, committed in earlier.committed.items():
            offset = committed.offset
            now = later.committed.get(partition, committed).offset
            if now < offset:
                how = f"partition {partition} from {offset} to {now}"
                yield Violation("commits never go back", ((partition, now),), how)


def _may_repeat(heard: Request, again: Request, seen: Evidence) -> bool:
    if any(_is_awake_late(again, incident) for incident in seen.incidents):
        return True
    return any(
        incident.began - COMMITTED_WITHIN <= heard.answered <= _committing(incident)
        and incident.began <= again.arrived
        for incident in seen.incidents
        if incident.kind in _UNCOMMITTED and incident.concerns(heard.slot)
    )


def _committing(incident: Incident) -> float:
    """Tell when commits work again; what runs after a kill is another service, whose do at once."""
    is_over = incident.kind is Kind.KILL
    return incident.began if is_over else incident.ended + RECOVERED_WITHIN


def _may_overlap(earlier: Request, later: Request, incidents: Sequence[Incident]) -> bool:
    if any(
        request.link is None or request.link.is_disturbed(earlier.arrived, later.arrived)
        for request in (earlier, later)
    ):
        return True
    return any(
        incident.kind is Kind.KILL
        and incident.concerns(earlier.slot)
        and earlier.arrived <= incident.began <= later.arrived
        for incident in incidents
    ) or any(
        _is_awake_late(request, incident) for request in (earlier, later) for incident in incidents
    )


def _is_awake_late(request: Request, incident: Incident) -> bool:
    return (
        incident.kind in _LOST_TOUCH
        and incident.concerns(request.slot)
        and request.gone >= incident.began
        and request.arrived <= incident.ended + AWAKE_WITHIN
    )


def _is_late(request: Request, since: float, incidents: Iterable[Incident]) -> bool:
    if request.link is None or request.link.is_disturbed(since, request.arrived):
        return True
    return any(_is_awake_late(request, incident) for incident in incidents)


def _covered(seen: Evidence) -> dict[Origin, float]:
    """Tell since when each record is covered by what was committed."""
    found: dict[Origin, float] = {}
    last: dict[int, Committed] = {}
    for reading in seen.readings:
        for partition, committed in reading.committed.items():
            before = last.get(partition, Committed(0, ""))
            if committed == before:
                continue
            last[partition] = committed
            memo = read(committed.metadata, committed.offset)
            stretches = memo.stretches if memo else ()
            done = [(before.offset, committed.offset), *((s.begin, s.end) for s in stretches)]
            for offset in (number for begin, end in done for number in range(begin, end)):
                found.setdefault((partition, offset), reading.answered)
    return found


def _calls(seen: Evidence) -> Iterator[tuple[str, list[Origin]]]:
    """Give the events of each call, in offset order."""
    found: defaultdict[str, list[Origin]] = defaultdict(list)
    for origin, event in sorted(seen.events.items(), key=lambda item: item[0]):
        if event.call_id is not None and event.outcome is Outcome.DELIVERED:
            found[event.call_id].append(origin)
    yield from found.items()
