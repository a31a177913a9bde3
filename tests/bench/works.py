"""Says what is raced: the works, and what the service is to reach in each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from bench.figures import Figure, Goal

BACKLOGS = (1_000, 10_000, 100_000, 1_000_000)
SERVICE, BENTO, PARALLEL, GATHER = "ingestor", "Bento", "Parallel Consumer", "gather"
# What does only a part of it: posts, or reads.
WRK, READER = "wrk", "reader"
# The service where nothing was compiled.
INTERPRETED = "interpreted"
_ALL = (SERVICE, INTERPRETED, BENTO, PARALLEL, GATHER)
_TO_DELIVER = 40_000
# Lasts for ten seconds: a start, with more and more requests at a time, is to count for little, as
# it does for a service that runs for days.
_TO_DELIVER_SLOWLY = 100_000
_OF_A_BACKLOG = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A topic of *events* of about *size* bytes in *partitions*, a sink that answers after
    *delay_ms* and fails the share *failing* of requests with the status *failure*, and the *peers*
    that race on it.

    Each peer may have *slots* requests in flight, in each of its *processes*. With a *trickle* the
    events are published one by one, so many a second, while it runs. It ends after *enough*. Works
    that are compared with each other have the same *heat*.
    """

    name: str
    title: str
    events: int
    size: int = 4_000
    partitions: int = 12
    slots: int = 64
    delay_ms: float = 0.0
    failing: float = 0.0
    failure: int = 503
    tls: bool = False
    processes: int = 1
    trickle: int = 0
    enough: int = 0
    peers: tuple[str, ...] = (SERVICE,)
    settings: tuple[tuple[str, str], ...] = ()
    heat: str = ""


def scaled(work: Work, share: float) -> Work:
    """Give *work* with that share of its events, where it matters little how many there are."""
    least = min(work.events, 1_000)
    return work if work.enough else replace(work, events=max(least, int(work.events * share)))


def turns(works: Iterable[Work], rounds: int) -> Iterator[tuple[Work, str]]:
    """List who does what, one after the other: of works with the same heat, and of the peers of
    each, all have a turn before one has its next, and all *rounds* of a heat come before the next
    heat.
    """
    for _, heat in groupby(works, key=lambda work: work.heat or work.name):
        together = [(work, peer) for work in heat for peer in work.peers]
        for _ in range(rounds):
            yield from together


def backlog(events: int) -> Work:
    """Have *events* wait, of which only some are delivered: it is about memory."""
    return Work(
        name=f"backlog-{events}",
        title=f"4 KB, 0 ms, {events:,} waiting",
        events=events,
        enough=min(events, _OF_A_BACKLOG),
        heat="backlogs",
    )


_PLAIN = Work(name="plain", title="4 KB, 0 ms", events=_TO_DELIVER, peers=(*_ALL, WRK))
_SLOW = replace(
    _PLAIN, name="200ms", title="4 KB, 200 ms, 512 slots", delay_ms=200, slots=512,
    peers=(SERVICE, BENTO), heat="processes",
)  # fmt: skip
# Ten seconds each, since the machine's pace changes from second to second. More follows than is
# delivered: those that fail again and again by chance would wait for half a minute in the end.
_FAILING = replace(
    _PLAIN, events=BACKLOGS[-1], failing=0.2, enough=150_000, peers=(SERVICE,), heat="failing"
)
WORKS = (
    _PLAIN,
    Work(
        name="50ms",
        title="4 KB, 50 ms, 512 slots",
        events=_TO_DELIVER_SLOWLY,
        delay_ms=50,
        slots=512,
        peers=_ALL,
    ),
    _SLOW,
    replace(_SLOW, name="two", title="the same, two processes", processes=2, peers=(SERVICE,)),
    replace(_PLAIN, name="tls", title="4 KB over TLS, 0 ms", tls=True, peers=_ALL),
    Work(name="30kb", title="30 KB, 0 ms", events=15_000, size=30_000, peers=_ALL),
    Work(
        name="trickle", title="4 KB, 200 a second", events=3_000, trickle=200, peers=(*_ALL, READER)
    ),
    replace(_FAILING, name="failing-500", title="4 KB, 0 ms, 20 % answered 500", failure=500),
    replace(_FAILING, name="unfailing", title="4 KB, 0 ms, all accepted", failing=0.0),
    replace(_FAILING, name="failing-503", title="4 KB, 0 ms, 20 % answered 503", failure=503),
    *map(backlog, BACKLOGS),
)


def _ours(work: str, name: str) -> Figure:
    return Figure(work, SERVICE, name)


def _to_bento(
    title: str, work: str, name: str, *, least: float | None = None, most: float | None = None
) -> Goal:
    bottom = Figure(work, BENTO, name)
    return Goal(f"{title}, to Bento's", _ours(work, name), bottom, least=least, most=most)


_FULL_SLOTS = 512 / 0.2
_MOST_GROWTH = 1.25  # of memory: what is called flat
GOALS = (
    _to_bento("4 KB, 0 ms: events/s", "plain", "rate", least=2.2),
    _to_bento("4 KB, 0 ms: CPU per event", "plain", "cpu_us", most=0.45),
    Goal(
        "4 KB, 0 ms: events/s, to those of wrk",
        _ours("plain", "rate"),
        Figure("plain", WRK, "rate"),
        least=0.6,
    ),
    _to_bento("4 KB, 50 ms, 512 slots: events/s", "50ms", "rate", least=1.7),
    Goal(
        "4 KB, 200 ms, 512 slots: events/s, to slots / latency",
        _ours("200ms", "steady"),
        _FULL_SLOTS,
        least=0.95,
    ),
    _to_bento("4 KB over TLS: events/s", "tls", "rate", least=1.5),
    _to_bento("4 KB over TLS: CPU per event", "tls", "cpu_us", most=0.8),
    _to_bento("30 KB, 0 ms: events/s", "30kb", "rate", least=1.4),
    _to_bento("trickle: p50 of publish to arrival", "trickle", "p50_ms", most=1.0),
    _to_bento("trickle: p99 of publish to arrival", "trickle", "p99_ms", most=0.5),
    Goal("memory at 4 KB and full speed, MiB", _ours("plain", "memory_mib"), 1.0, most=150.0),
    *(
        Goal(
            f"memory with 1,000,000 waiting, to that with {fewer:,}",
            _ours("backlog-1000000", "memory_mib"),
            _ours(f"backlog-{fewer}", "memory_mib"),
            most=_MOST_GROWTH,
        )
        for fewer in (1_000, 10_000)
    ),
    Goal("from joined to the first POST, s", _ours("plain", "joining_seconds"), 1.0, most=1.0),
    Goal(
        "two processes at 200 ms: events/s, to those of one",
        _ours("two", "steady"),
        _ours("200ms", "steady"),
        least=1.95,
    ),
    *(
        Goal(
            f"20 % answered {status}: events/s, to those without",
            _ours(f"failing-{status}", "steady"),
            _ours("unfailing", "steady"),
            least=0.7,
        )
        for status in (500, 503)
    ),
)
