"""Keeps a line about every request, from its arrival on, and adds them up."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingestor.devkit.fake_tuner.news import News


@dataclass(slots=True, eq=False)
class Entry:
    """Tell what is known of one request so far; it fills in as the request goes along.

    order: 1 for the first arrival. arrived, answered: seconds of the monotonic clock.
    peer: the port it came from, None when that had left before we looked.
    call_id, agent, workspace_id: None where they could not be read. size, sha256: of the body.
    status: as it was sent, None before that and if there was no answer. fault: the kind of fault
    it met. stored: this request stored the call. duplicate: it was told that the call is known.
    client_left: nobody was there any more to take the answer.
    """

    order: int
    arrived: float
    method: str
    path: str
    peer: int | None = None
    workspace_id: int | None = None
    agent: str | None = None
    call_id: str | None = None
    size: int = 0
    sha256: str | None = None
    status: int | None = None
    fault: str | None = None
    stored: bool = False
    duplicate: bool = False
    client_left: bool = False
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Add up a log.

    open: requests being served; peak: the most there were at once. statuses, faults: how many of
    each. calls: stored rows; call_ids: distinct ones among the stored. duplicates_stored: rows
    beyond the first of their call_id (of other agents or workspaces); duplicates_answered: requests
    told that the call is known. arrivals: per call_id, which requests it came in.
    """

    requests: int
    open: int
    peak: int
    statuses: dict[int, int]
    faults: dict[str, int]
    calls: int
    call_ids: int
    duplicates_stored: int
    duplicates_answered: int
    arrivals: dict[str, list[int]]


class Log:
    """Hold a line for every request, in order of arrival."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.news = News()
        self._open = 0
        self._peak = 0

    @contextmanager
    def line(self, method: str, path: str, peer: int | None = None) -> Iterator[Entry]:
        """Open the line of a request that arrives now from *peer*; leaving closes it."""
        entry = Entry(len(self.entries) + 1, time.monotonic(), method, path, peer)
        self.entries.append(entry)
        self._open += 1
        self._peak = max(self._peak, self._open)
        self.news.spread()
        try:
            yield entry
        finally:
            self._open -= 1
            entry.answered = time.monotonic()
            self.news.spread()

    def clear(self) -> None:
        """Forget every line; requests being served still count for the next peak."""
        self.entries.clear()
        self._peak = self._open

    def summary(self, stored: Counter[str]) -> Summary:
        """Add up; *stored* says how many rows there are of each call_id."""
        arrivals: dict[str, list[int]] = {}
        for entry in self.entries:
            if entry.call_id is not None:
                arrivals.setdefault(entry.call_id, []).append(entry.order)
        return Summary(
            requests=len(self.entries),
            open=self._open,
            peak=self._peak,
            statuses=dict(Counter(e.status for e in self.entries if e.status is not None)),
            faults=dict(Counter(e.fault for e in self.entries if e.fault is not None)),
            calls=stored.total(),
            call_ids=len(stored),
            duplicates_stored=stored.total() - len(stored),
            duplicates_answered=sum(e.duplicate for e in self.entries),
            arrivals=arrivals,
        )
