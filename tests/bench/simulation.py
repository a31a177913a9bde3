"""A server with a capacity and clients with a limiter each, in virtual time."""

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.rivals import AnyLimiter

from ingestor.core.sign import Sign

# How soon a server says no.
NO_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Phase:
    """How the server is from *since* on: *workers* at once, each request *seconds* with a log-
    normal *spread*; beyond *queue* waiting ones the answer is *beyond*. *large* of the requests
    take ten times as long, *strained* of them fail by chance. Every *pause_every* seconds all
    stands still for *pause* seconds. A request costs the client *own* seconds of its one processor.
    """

    since: float = 0.0
    workers: int = 40
    seconds: float = 0.05
    spread: float = 0.3
    queue: float = math.inf
    beyond: Sign = Sign.STRAINED
    large: float = 0.0
    strained: float = 0.0
    pause: float = 0.0
    pause_every: float = 10.0
    own: float = 0.0


@dataclass(slots=True)
class Client:
    """Somebody with a backlog without end."""

    limiter: AnyLimiter
    in_flight: int = 0
    retries: int = 0
    served: list[tuple[float, float]] = field(default_factory=list)
    pushed_back: int = 0
    limits: list[tuple[float, int]] = field(default_factory=list)


class World:
    """Server, clients and time."""

    def __init__(self, phases: Sequence[Phase], limiters: Sequence[AnyLimiter], seed: int) -> None:
        self.clients = [Client(limiter) for limiter in limiters]
        self._phases = phases
        self._dice = random.Random(seed)
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._busy = 0
        self._queue: deque[tuple[Client, float]] = deque()
        self._own_free = 0.0

    @property
    def _phase(self) -> Phase:
        return next(it for it in reversed(self._phases) if it.since <= self._now)

    def run(self, seconds: float) -> None:
        """Let *seconds* pass."""
        for phase in self._phases:
            self._at(phase.since, lambda: None)
        self._fill()
        while self._events and self._events[0][0] <= seconds:
            self._now, _, call = heapq.heappop(self._events)
            call()
            self._fill()

    def _at(self, when: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), call))

    def _fill(self) -> None:
        for client in self.clients:
            while client.in_flight < client.limiter.limit:
                client.in_flight += 1
                self._own_free = max(self._own_free, self._now) + self._phase.own
                self._at(self._own_free, partial(self._arrive, client, self._now))
        self._serve()

    def _arrive(self, client: Client, began: float) -> None:
        phase = self._phase
        if self._dice.random() < phase.strained:
            self._at(self._now + NO_SECONDS, partial(self._answer, client, began, Sign.STRAINED))
        elif self._busy >= phase.workers and len(self._queue) >= phase.queue:
            self._at(self._now + NO_SECONDS, partial(self._answer, client, began, phase.beyond))
        else:
            self._queue.append((client, began))
            self._serve()

    def _serve(self) -> None:
        phase = self._phase
        while self._queue and self._busy < phase.workers:
            client, began = self._queue.popleft()
            self._busy += 1
            seconds = phase.seconds * math.exp(self._dice.gauss(0, phase.spread))
            seconds *= 10 if self._dice.random() < phase.large else 1
            end = self._now + seconds
            if phase.pause and int(end / phase.pause_every) > int(self._now / phase.pause_every):
                end += phase.pause
            self._at(end, partial(self._finish, client, began))

    def _finish(self, client: Client, began: float) -> None:
        self._busy -= 1
        self._answer(client, began, Sign.FINE)

    def _answer(self, client: Client, began: float, what: Sign) -> None:
        now, seconds = self._now, self._now - began
        client.limiter.note(what, seconds=seconds, in_flight=client.in_flight, now=now)
        client.limits.append((now, client.limiter.limit))
        if what is Sign.FINE:
            client.served.append((now, seconds))
            client.in_flight -= 1
            return
        client.pushed_back += 1
        # The slot is free at once; the record comes again later, and others come meanwhile: with
        # a backlog without end there is no difference but the pause of a refused rate.
        if what is Sign.REFUSED:
            self._at(now + 1.0, partial(self._release, client))
        else:
            client.in_flight -= 1

    def _release(self, client: Client) -> None:
        client.in_flight -= 1
