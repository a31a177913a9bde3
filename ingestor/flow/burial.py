"""Writes letters until the broker has acknowledged them."""

from ingestor.core.backoff import Backoff
from ingestor.core.letter import Letter
from ingestor.flow.crew import Crew
from ingestor.flow.ports import Clock, Dice, Letters, Observer

BACKOFF = Backoff(base=0.5, longest=30.0)


class Burial:
    """Buries letters. One that cannot be written is tried again: a record is not finished before
    its letter is safe.
    """

    def __init__(
        self, *, letters: Letters, crew: Crew, clock: Clock, dice: Dice, observer: Observer
    ) -> None:
        self._letters = letters
        self._crew = crew
        self._clock = clock
        self._dice = dice
        self._observer = observer
        self._is_stuck = False

    async def bury(self, letter: Letter) -> None:
        """Write *letter*, however long it takes; a drain waits for it."""
        attempt = 0
        with self._crew.busy():
            while problem := await self._letters.write(letter):
                attempt += 1
                self._report(problem.cause)
                await self._clock.sleep(BACKOFF.delay(attempt, self._dice.roll()))
        self._report(None)

    def _report(self, cause: str | None) -> None:
        """Say once that letters cannot be written, and once that they can again."""
        if cause is not None and not self._is_stuck:
            self._observer.changed("letters_stuck", cause=cause)
        elif cause is None and self._is_stuck:
            self._observer.changed("letters_written_again")
        self._is_stuck = cause is not None
