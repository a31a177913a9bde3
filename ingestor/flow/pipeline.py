"""The road: the life of one record, from the moment it is read to the moment its offset may be
committed.
"""

from typing import assert_never

from ingestor.core.call import Call
from ingestor.core.decoder import Decoder
from ingestor.core.effort import Effort
from ingestor.core.letter import letter
from ingestor.core.offsets import Claim, Offsets
from ingestor.core.outcome import Dead, Ignored, Outcome, Reason
from ingestor.core.record import Record
from ingestor.core.route import Route
from ingestor.core.routing import Router
from ingestor.core.stack import describe
from ingestor.flow.burial import Burial
from ingestor.flow.committer import Committer
from ingestor.flow.crew import Crew
from ingestor.flow.delivery import Delivery, Ending, Pause
from ingestor.flow.hands import Hands
from ingestor.flow.held_letters import HeldLetters
from ingestor.flow.lanes import Lanes
from ingestor.flow.pauses import Pauses
from ingestor.flow.ports import Clock, Observer
from ingestor.flow.room import OVERHEAD_BYTES, Room
from ingestor.flow.slots import Slot
from ingestor.flow.work import Routed, Work


class Pipeline:
    """Carries records along the road: claim, decode, route, deliver, bury, settle."""

    def __init__(
        self,
        *,
        decoder: Decoder,
        router: Router,
        delivery: Delivery,
        burial: Burial,
        held_letters: HeldLetters,
        offsets: Offsets,
        committer: Committer,
        room: Room,
        crew: Crew,
        clock: Clock,
        observer: Observer,
        version: str,
    ) -> None:
        self._decoder = decoder
        self._router = router
        self._delivery = delivery
        self._burial = burial
        self._held_letters = held_letters
        self._offsets = offsets
        self._committer = committer
        self._room = room
        self._crew = crew
        self._clock = clock
        self._observer = observer
        self._version = version
        self._hands = Hands(crew, self._carry)
        self._lanes: Lanes[Work] = Lanes()
        self._pauses = Pauses(clock, self._line_up)
        # How many there were: what was read before one must not be admitted after it.
        self.drains = 0

    def admit(self, record: Record) -> None:
        """Claim *record* and have it carried, behind those of its call_id that came before."""
        claim = self._offsets.claim(record, self._clock.now())
        if claim is None:
            return
        read = self._read(record)
        claim.size = _size(record, read)
        self._room.enter(record.origin, claim.size)
        match read:
            case Routed(call, route):
                self._held_letters.note_read(record.topic)
                work = Work(record, claim, call, self._delivery.way(route), Effort())
                if self._lanes.enter(call.call_id, work):
                    self._line_up(work)
            case Ignored() as ignored:
                self._settle(record, claim, ignored)
            case Dead() as dead:
                # Noted here and not in its task: others are read before that runs.
                has_to_wait = self._held_letters.note_unread(dead, record.topic)
                self._crew.start(self._end_unread(record, claim, dead, has_to_wait=has_to_wait))
            case unknown:
                assert_never(unknown)

    def begin(self) -> None:
        """Have what was admitted, and has a slot, carried before anything else is done."""
        self._hands.hire()

    async def drain(self, seconds: float) -> int:
        """Let what is on the wire end, within *seconds*, and leave the rest; return how much was
        cut off.

        Every assignment ends with it, so that nothing stays in the room.
        """
        self.drains += 1
        try:
            return await self._crew.drain(seconds)
        finally:
            if not self._crew.is_draining:  # else there is still work, and another drain for it
                self._pauses.clear()
                self._delivery.clear()
                self._hands.clear()
                self._lanes.clear()
                self._room.empty()

    def _read(self, record: Record) -> Routed | Dead | Ignored:
        """Decode and route: both are pure, so an unexpected error in them is this record's own."""
        try:
            decoded = self._decoder.decode(record)
            if not isinstance(decoded, Call):
                return decoded
            route = self._router.route(record, decoded)
            return route if isinstance(route, Dead) else Routed(decoded, route)
        except Exception as error:  # noqa: BLE001 - the one boundary: a bug that one record wakes must not stop the others
            return Dead(Reason.INTERNAL, describe(error))

    def _line_up(self, work: Work) -> None:
        """Have *work* carried once it has a slot."""
        is_retry = work.effort.count > 0
        self._delivery.line_up(work.way, self._hands.give, work, is_retry=is_retry)

    async def _carry(self, work: Work, slot: Slot) -> None:
        """Carry a record to its end, then it is the turn of the next one of its call_id; or up to
        the pause before its next attempt.
        """
        outcome = await self._delivery.advance(work.call, work.way, work.effort, slot)
        if isinstance(outcome, Pause):
            self._pauses.add(work, outcome.seconds)
            return
        if isinstance(outcome, Dead):
            outcome = await self._outlast(work, slot, outcome)
        elif outcome:
            self._held_letters.note_accepted(work.way.route)
        if isinstance(outcome, Dead):
            await self._bury(work.record, outcome, work.way.route)
        if outcome:
            self._settle(work.record, work.claim, outcome)
        if after := self._lanes.leave(work.call.call_id):
            self._line_up(after)

    async def _outlast(self, work: Work, slot: Slot, dead: Dead) -> Ending | None:
        """Keep a call that died, and try it again, as long as its letter has to wait; return its
        end, None when a drain leaves it.
        """
        outcome: Ending | None = dead
        with self._held_letters.trial(work.way.route) as trial:
            while outcome and not await trial.is_over(outcome):
                outcome = await self._delivery.deliver(work.call, work.way, slot)
        return outcome

    async def _end_unread(
        self, record: Record, claim: Claim, dead: Dead, *, has_to_wait: bool
    ) -> None:
        if has_to_wait:
            await self._held_letters.wait_unread(record.topic)
        await self._bury(record, dead, None)
        self._settle(record, claim, dead)

    async def _bury(self, record: Record, dead: Dead, route: Route | None) -> None:
        """Wait until the letter is safe: its record is not finished before that."""
        await self._burial.bury(letter(record, dead, route, version=self._version))

    def _settle(self, record: Record, claim: Claim, outcome: Outcome) -> None:
        if claim.settle():
            self._room.leave(record.origin, claim.size)
            self._committer.note()
            self._observer.ended(record, outcome)


def _size(record: Record, read: Routed | Dead | Ignored) -> int:
    """Compute what *record* takes of the memory while it waits; a body that was cut out of an
    envelope, or mended, stands beside the value it came from.
    """
    size = record.size + OVERHEAD_BYTES
    if isinstance(read, Routed) and read.call.body is not record.value:
        size += len(read.call.body)
    return size
