"""Writes letters until the broker has acknowledged them."""

import asyncio
from math import inf
from typing import assert_never

from ingestor.core.backoff import Backoff
from ingestor.core.letter import Letter, NotWritten
from ingestor.core.letter_topic import Prepared, Unfit
from ingestor.core.notice import Kind, Matter, Notice
from ingestor.flow.crew import Crew
from ingestor.flow.notices import Notices
from ingestor.flow.ports import Clock, Dice, Letters, Observer

BACKOFF = Backoff(base=0.5, longest=30.0)
TOPIC = Matter(Kind.LETTERS, "dead-letter topic")
# For a letter that cannot be written at all, as long as others can.
OWN_PAUSE = 60.0
# Somebody may change the topic into one that erases letters, and all would seem well.
FRESH_SECONDS = 60.0


class Burial:
    """Buries letters. One that cannot be written is tried again: a record is not finished before
    its letter is safe.

    While the topic is in trouble one letter at a time tries, and the others wait for it. What is
    known of it is good for a minute: then the next letter waits until it was looked at again.
    """

    def __init__(
        self,
        *,
        letters: Letters,
        crew: Crew,
        clock: Clock,
        dice: Dice,
        observer: Observer,
        notices: Notices,
    ) -> None:
        self._letters = letters
        self._crew = crew
        self._clock = clock
        self._dice = dice
        self._observer = observer
        self._notices = notices
        self._turn = asyncio.Lock()
        self._waiting = 0
        # Whether letters go straight to the topic: it was found fit, and nothing has failed since.
        self._open = asyncio.Event()
        self._looked = -inf
        self._problem: NotWritten | None = None
        self._failures = 0
        self._oddities: set[str] = set()

    async def prepare(self) -> Unfit | None:
        """See that there is a topic, however long it takes; return why it is none for letters."""
        async with self._turn:
            while not self._open.is_set():
                found = await self._look()
                if isinstance(found, Unfit):
                    return found
                if found is None:
                    self._succeed()
                elif found.remedy:
                    self._fail(found)
                    await self._pause()
                else:  # no broker yet: others tell of it
                    self._failures += 1
                    await self._pause()
        return None

    async def bury(self, letter: Letter) -> None:
        """Write *letter*, however long it takes; a drain waits for it."""
        doer = self._crew.begin()
        try:
            while (seconds := await self._try(letter)) is not None:
                if seconds:
                    await self._clock.sleep(seconds)
        finally:
            self._crew.end(doer)

    async def _try(self, letter: Letter) -> float | None:
        """Write *letter*; None when it is safe, else in how many seconds to try again."""
        if self._clock.now() - self._looked >= FRESH_SECONDS:
            self._open.clear()
        if self._open.is_set():
            return await self._write(letter)
        self._waiting += 1
        try:
            async with self._turn:
                if self._open.is_set():
                    return 0.0  # somebody else has just written: no need to come one by one
                await self._pause()
                match await self._look():
                    case Unfit(why):
                        return self._fail(NotWritten("topic_unfit", why))
                    case NotWritten() as problem:
                        return self._fail(problem)
                    case None if self._failures:
                        return await self._write(letter)
                    case None:
                        self._open.set()
                        return 0.0
                    case unknown:
                        assert_never(unknown)
        finally:
            self._waiting -= 1

    async def _look(self) -> Unfit | NotWritten | None:
        found = await self._letters.prepare()
        if not isinstance(found, Prepared):
            return found
        self._looked = self._clock.now()
        if found.is_new:
            self._observer.changed("dead_letter_topic_created")
        for oddity in found.oddities:
            if oddity not in self._oddities:
                self._oddities.add(oddity)
                self._observer.changed("dead_letter_topic_odd", oddity=oddity)
        return None

    async def _write(self, letter: Letter) -> float | None:
        problem = await self._letters.write(letter)
        if problem is None:
            self._succeed()
            return None
        if not problem.is_letters_own:
            return self._fail(problem)
        self._succeed()
        self._observer.changed("letter_stuck", cause=problem.cause, remedy=problem.remedy)
        return OWN_PAUSE

    def _succeed(self) -> None:
        self._open.set()
        self._failures = 0
        if self._problem is not None:
            self._problem = None
            self._notices.end(TOPIC)
            self._observer.changed("letters_written_again")

    def _fail(self, problem: NotWritten) -> float:
        """Say once that letters cannot be written, and keep saying what only people can mend."""
        self._open.clear()
        self._failures += 1
        if self._problem is None:
            self._observer.changed("letters_stuck", cause=problem.cause)
        self._problem = problem
        if problem.remedy:
            self._notices.begin(TOPIC, self._notice)
        else:
            self._notices.end(TOPIC)
        return 0.0

    def _notice(self) -> Notice:
        problem = self._problem or NotWritten("unknown")
        return Notice(TOPIC, problem.cause, problem.remedy, self._waiting)

    async def _pause(self) -> None:
        if self._failures:
            await self._clock.sleep(BACKOFF.delay(self._failures, self._dice.roll()))
