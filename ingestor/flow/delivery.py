"""Posts one call until Tuner has decided about it."""

from dataclasses import dataclass
from typing import assert_never

from ingestor.core.answer import Answer
from ingestor.core.backoff import Backoff
from ingestor.core.call import Call
from ingestor.core.effort import Effort
from ingestor.core.judgement import judge
from ingestor.core.outcome import Dead, Delivered, Duplicate, Reason
from ingestor.core.route import Route
from ingestor.core.verdict import (
    Accepted,
    Circumstances,
    Hold,
    Refused,
    TryAgain,
    Verdict,
)
from ingestor.flow.crew import Crew
from ingestor.flow.gate import Gate, Passage
from ingestor.flow.lease import Lease
from ingestor.flow.ports import Clock, Dice, Keys, Observer, Tuner
from ingestor.flow.slots import Begin, Slot, Slots
from ingestor.flow.way import Way

Ending = Delivered | Duplicate | Dead
"""How a call ends."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The next attempt at a call is to begin after so many *seconds*."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How a failing call is treated: at most *attempts* while others are accepted, and the waits
    between them.
    """

    attempts: int
    backoff: Backoff


class Delivery:
    """Carries calls to Tuner: a slot for each request, every wait outside of it."""

    def __init__(
        self,
        *,
        tuner: Tuner,
        keys: Keys,
        gate: Gate,
        slots: Slots,
        lease: Lease,
        crew: Crew,
        patience: Patience,
        clock: Clock,
        dice: Dice,
        observer: Observer,
    ) -> None:
        self._tuner = tuner
        self._keys = keys
        self._gate = gate
        self._slots = slots
        self._lease = lease
        self._crew = crew
        self._patience = patience
        self._clock = clock
        self._dice = dice
        self._observer = observer

    def way(self, route: Route) -> Way:
        """Find the way of calls for *route*."""
        return self._gate.way(route)

    def line_up(self, way: Way, begin: Begin, item: object, *, is_retry: bool) -> None:
        """Call *begin* with *item* and a slot for *way* as soon as there is one; at once, and
        without, when something else has to be waited for.
        """
        if way.is_free:
            self._slots.line_up(way.route.destination, begin, item, is_retry=is_retry)
        else:
            begin(item, self._slots.slot(way.route.destination))

    def clear(self) -> None:
        """Forget all that were lined up."""
        self._slots.clear()

    async def deliver(self, call: Call, way: Way, slot: Slot) -> Ending | None:
        """Post *call* until there is an outcome; None when a drain leaves it (the record comes
        again).
        """
        effort = Effort()
        while isinstance(step := await self.advance(call, way, effort, slot), Pause):
            await self._clock.sleep(step.seconds)
        return step

    async def advance(
        self, call: Call, way: Way, effort: Effort, slot: Slot
    ) -> Ending | Pause | None:
        """Go on with the *effort* to deliver *call*, at once when it has a *slot*, until there is
        an outcome or a pause; None when a drain leaves it.
        """
        while not self._crew.is_draining:
            if not (way.is_free and self._lease.is_valid):
                slot.leave()  # it is for a request, never for a wait
                await self._lease.until_valid()
            match await self._attempt(call, way, effort, slot):
                case Accepted(is_duplicate=is_duplicate):
                    return Duplicate(effort.tries) if is_duplicate else Delivered(effort.tries)
                case Refused(status, message, errors):
                    return Dead(Reason.REFUSED, message, errors, status, effort.tries, call.call_id)
                case TryAgain(cause=cause, status=status):
                    if effort.failures >= self._patience.attempts:
                        return _exhausted(cause, status, effort, call)
                    if not (self._crew.is_draining or way.is_down):  # else the gate will stop it
                        return Pause(self._delay(effort))
                case Hold() | None:
                    continue  # the gate will stop it
                case unknown:
                    assert_never(unknown)
        return None

    async def _attempt(self, call: Call, way: Way, effort: Effort, slot: Slot) -> Verdict | None:
        """Post once; None when the gate closed, or the lease ended, while *call* waited."""
        passage = self._gate.passage(way, effort)
        try:
            if not slot.is_taken:  # else its way is free: `deliver` has just looked
                await self._wait(passage, way, slot, is_retry=effort.count > 0)
                if not (passage.is_open and self._lease.is_valid):
                    return None
            slot.begin()
            passage.begin(self._clock.wall())
            began, doer = self._clock.now(), self._crew.begin()
            try:
                answer = await self._tuner.post(call.body, way.route)
            finally:
                self._crew.end(doer)
            self._note(answer, slot, began)
            return passage.learn(self._judge(answer, way, effort))
        finally:
            passage.leave()
            slot.leave()

    async def _wait(self, passage: Passage, way: Way, slot: Slot, *, is_retry: bool) -> None:
        """Wait for the gate, and then for a slot."""
        await passage.wait()
        if passage.is_probe_of_key:
            await self._keys.refresh(way.route.destination.credential)
        await slot.take(is_retry=is_retry)

    def _note(self, answer: Answer, slot: Slot, began: float) -> None:
        now = self._clock.now()
        seconds = now - began
        slot.note(answer, seconds=seconds, now=now)
        self._observer.attempted(answer, seconds)

    def _judge(self, answer: Answer, way: Way, effort: Effort) -> Verdict:
        when = Circumstances(
            self._clock.wall(), is_unclear=effort.is_unclear, is_proven=way.is_proven
        )
        effort.note(answer)
        return judge(answer, when)

    def _delay(self, effort: Effort) -> float:
        return self._patience.backoff.delay(effort.count, self._dice.roll())


def _exhausted(cause: str, status: int | None, effort: Effort, call: Call) -> Dead:
    message = (
        f"kept failing while other calls were accepted; {effort.count} attempts, the last: {cause}"
    )
    return Dead(Reason.EXHAUSTED, message, (), status, effort.tries, call.call_id)
