"""Tells of what is held: when it has lasted a moment, then once a minute, and when it is over."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ingestor.core.notice import Matter, Notice
from ingestor.flow.ports import Clock, Observer, Timer

INTERVAL = 60.0


@dataclass(slots=True)
class _Held:
    look: Callable[[], Notice]
    # Tells of it when it has lasted; None once it is told.
    grace: Timer | None = None


class Notices:
    """All that is held now. What ends within its grace was never told."""

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer
        self._held: dict[Matter, _Held] = {}

    def begin(self, matter: Matter, look: Callable[[], Notice], *, grace: float = 0.0) -> None:
        """Tell what *look* sees of *matter* after *grace* seconds and every minute, until its end;
        if it has begun already, it goes on.
        """
        if matter in self._held:
            return
        since = self._clock.wall()
        held = _Held(lambda: replace(look(), since=since))

        def tell() -> None:
            held.grace = None
            self._observer.held(held.look())

        self._held[matter] = held
        if grace:
            held.grace = self._clock.call_later(grace, tell)
        else:
            tell()

    def end(self, matter: Matter) -> None:
        """Tell that *matter* is over, if it was told."""
        held = self._held.pop(matter, None)
        if held is None:
            return
        if held.grace is None:
            self._observer.lifted(matter)
        else:
            held.grace.cancel()

    async def run(self) -> None:
        """Tell every minute of all that is held, as long as the service runs."""
        while True:
            await self._clock.sleep(INTERVAL)
            if told := [held.look() for held in self._held.values() if held.grace is None]:
                self._observer.still_held(told)
