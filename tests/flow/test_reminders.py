"""What is held is told again and again."""

from fakes import FakeClock, RecordingObserver
from flow.road import Yard

from ingestor.flow.reminders import remind


async def test_there_is_a_reminder_every_minute() -> None:
    """Not more often: a log is read by people."""
    clock, observer = FakeClock(), RecordingObserver()
    async with Yard() as yard:
        yard.start(remind(clock, observer))

        await clock.advance(59.9)
        assert observer.reminders == 0
        await clock.advance(3540.1)

        assert observer.reminders == 60
