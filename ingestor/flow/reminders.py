"""Has those who look on reminded of what is held."""

from ingestor.flow.ports import Clock, Observer

INTERVAL = 60.0


async def remind(clock: Clock, observer: Observer) -> None:
    """Remind every minute, as long as the service runs."""
    while True:
        await clock.sleep(INTERVAL)
        observer.remind()
