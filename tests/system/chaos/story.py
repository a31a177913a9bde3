"""Tells a run of chaos so that a bug can be found from it: what was done when, and the whole life
of a record.
"""

from collections.abc import Iterator

from kafka.cluster import Committed
from system.chaos.evidence import Evidence, Request
from system.chaos.laws import Violation
from system.chaos.load import Origin
from system.chaos.plan import Plan

_MOST = 5


def tell(plan: Plan, seen: Evidence, broken: list[Violation]) -> str:
    """Tell of *broken* laws: the seed, what was done, and the lives of the first few records."""
    shape = f"{plan.partitions} partitions, {plan.slots} slots"
    lines = [
        f"chaos seed {plan.seed} (pytest --chaos-seed {plan.seed}): {shape}",
        *(f"  {violation.law}: {violation.origins} {violation.how}" for violation in broken[:20]),
        f"  {len(broken)} violations in all",
        "what was done (seconds since the begin):",
        *schedule(seen),
    ]
    told: list[Origin] = []
    for violation in broken:
        told += [origin for origin in violation.origins if origin not in told]
    for origin in told[:_MOST]:
        lines += life(origin, seen)
    return "\n".join(lines)


def schedule(seen: Evidence) -> Iterator[str]:
    """List the incidents."""
    for incident in seen.incidents:
        yield (
            f"  {incident.began - seen.began:7.2f} to {incident.ended - seen.began:7.2f} "
            f"{incident.what}"
        )


def life(origin: Origin, seen: Evidence) -> Iterator[str]:
    """List what happened to one record: its requests, and the commits of its partition."""
    partition, offset = origin
    event = seen.events.get(origin)
    yield f"record {partition}:{offset} {event}"
    happened = [(r.arrived, _request(r, seen)) for r in seen.requests.get(origin, ())]
    last: Committed | None = None
    for reading in seen.readings:
        committed = reading.committed.get(partition)
        if committed is not None and committed != last:
            last = committed
            text = f"committed {committed.offset} {committed.metadata!r}"
            happened.append((reading.answered, text))
    for when, text in sorted(happened):
        yield f"  {when - seen.began:7.2f} {text}"
    for where, reason in seen.letters:
        if where == origin:
            yield f"  letter: {reason}"


def _request(request: Request, seen: Evidence) -> str:
    entry = request.entry
    marks = [
        name
        for name, is_so in (
            ("stored", entry.stored),
            ("duplicate", entry.duplicate),
            ("client left", entry.client_left),
            ("heard", request.is_heard(seen.incidents)),
        )
        if is_so
    ]
    return (
        f"request {entry.order} from slot {request.slot} until "
        f"{request.gone - seen.began:.2f}: {entry.status} {entry.fault or ''} {' '.join(marks)}"
    )
