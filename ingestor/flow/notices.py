"""Tells of what holds letters: when it has lasted a moment, and then once a minute."""

from collections.abc import Callable
from dataclasses import replace

from ingestor.core.notice import Notice
from ingestor.flow.ports import Clock, Observer, Timer

INTERVAL = 60.0


class Notices:
    """What is held now. What ends within *grace* seconds was never told."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._timers: dict[str, Timer] = {}
        self._told: set[str] = set()

    def begin(self, what: str, look: Callable[[], Notice], *, grace: float = 0.0) -> None:
        """Tell what *look* sees of *what* after *grace* seconds and every minute, until its end; if
        it has begun already, it goes on.
        """
        if what in self._timers:
            return
        since = self._clock.now()

        def tell() -> None:
            self._told.add(what)
            self._timers[what] = self._clock.call_later(INTERVAL, tell)
            self._observer.letters_held(replace(look(), seconds=self._clock.now() - since))

        self._timers[what] = self._clock.call_later(grace, tell)
        if not grace:
            self._timers[what].cancel()
            tell()

    def end(self, what: str) -> None:
        """Tell that *what* is over, if it was told."""
        if timer := self._timers.pop(what, None):
            timer.cancel()
        if what in self._told:
            self._told.remove(what)
            self._observer.letters_released(what)
