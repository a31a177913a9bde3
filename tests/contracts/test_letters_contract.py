"""What every dead-letter topic must do: no letter is lost, and no failure is an exception.

It runs on the fake and on Kafka.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

import pytest
from contracts.kafka_desks import kafka_letters_desk
from fakes import FakeLetters
from kafka.cluster import Cluster

from ingestor.core.letter import Letter, NotWritten
from ingestor.flow.ports import Letters

# A broker that was away needs a moment.
PATIENCE = 25


class Desk(Protocol):
    """A dead-letter topic, empty at first, and what a test needs beside it."""

    @property
    def letters(self) -> Letters:
        """What writes to it."""
        ...

    async def written(self) -> Sequence[Letter]:
        """Read the topic from its beginning."""
        ...

    def broken(self) -> AbstractAsyncContextManager[None]:
        """Have the broker acknowledge nothing as long as the block."""
        ...


Opening: TypeAlias = Callable[[Cluster], AbstractAsyncContextManager[Desk]]


class FakeDesk:
    """The fake."""

    def __init__(self) -> None:
        self.letters = FakeLetters()

    async def written(self) -> Sequence[Letter]:
        """Read what was sent."""
        return self.letters.sent

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[None]:
        """Refuse."""
        self.letters.refuse()
        try:
            yield
        finally:
            self.letters.accept()


@asynccontextmanager
async def fake_desk(_cluster: Cluster) -> AsyncIterator[Desk]:
    """Open the fake."""
    yield FakeDesk()


@asynccontextmanager
async def kafka_desk(cluster: Cluster) -> AsyncIterator[Desk]:
    """Open the real one."""
    async with kafka_letters_desk(cluster) as desk:
        yield desk


@pytest.fixture(params=[fake_desk, kafka_desk], ids=lambda opening: opening.__name__)
async def desk(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[Desk]:
    """One of them after the other."""
    opening: Opening = request.param
    async with opening(cluster) as opened:
        yield opened


def letter(
    value: bytes | None = b"{}", key: bytes | None = b"key", *, reason: bytes | None = b"refused"
) -> Letter:
    """Make a letter."""
    return Letter(key, value, (("own", b"1"), ("own", b"2"), ("ingestor-reason", reason)))


async def write_at_last(desk: Desk, last: Letter) -> None:
    """Write *last* as soon as it can be written."""
    async with asyncio.timeout(PATIENCE):
        while await desk.letters.write(last):  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "sent",
    [
        letter(),
        letter(key=None),
        letter(b""),
        letter(b"", None),
        letter(bytes(range(256))),
        letter(reason=None),
        letter(b"x" * 900_000),
        Letter(b"key", None, ()),
    ],
    ids=["plain", "no key", "no bytes", "nothing", "any bytes", "null header", "large", "null"],
)
async def test_what_was_written_is_read_as_it_was(desk: Desk, sent: Letter) -> None:
    """Key, value, and headers in their order and with their repetitions: the call is rescued from
    them.
    """
    assert await desk.letters.write(sent) is None

    assert await desk.written() == [sent]


async def test_a_letter_is_in_the_topic_as_soon_as_it_is_acknowledged(desk: Desk) -> None:
    """The record's offset is committed then: a kill right afterwards must not lose the letter."""
    for number in range(3):
        assert await desk.letters.write(letter(b"%d" % number)) is None
        assert len(await desk.written()) == number + 1


async def test_letters_are_written_at_the_same_time(desk: Desk) -> None:
    """When many calls die at once, none of their letters is lost."""
    sent = [letter(b"%d" % number) for number in range(100)]
    async with asyncio.TaskGroup() as tasks:
        writing = [tasks.create_task(desk.letters.write(it)) for it in sent]

    assert [task.result() for task in writing] == [None] * 100
    values = [read.value for read in await desk.written()]
    assert sorted(map(str, values)) == sorted(str(it.value) for it in sent)


async def test_a_letter_written_twice_is_there_twice(desk: Desk) -> None:
    """Nothing is taken for a repetition here: whoever reads tells them apart by their source."""
    assert await desk.letters.write(letter()) is None
    assert await desk.letters.write(letter()) is None

    assert await desk.written() == [letter(), letter()]


async def test_what_is_not_acknowledged_is_told_and_not_raised(desk: Desk) -> None:
    """The cause is a word, and says nothing of what is in the letter."""
    async with desk.broken():
        problem = await desk.letters.write(letter(b'{"caller": "+15550100"}'))

    assert isinstance(problem, NotWritten)
    assert problem.cause.isidentifier()


async def test_after_a_failure_letters_are_written_again(desk: Desk) -> None:
    """Without anybody's help, as soon as the broker is back."""
    async with desk.broken():
        assert await desk.letters.write(letter(b"1")) is not None

    await write_at_last(desk, letter(b"2"))

    assert (await desk.written())[-1].value == b"2"


async def test_a_cancelled_write_does_not_stand_in_the_way_of_the_next(desk: Desk) -> None:
    """A drain may cut one off; whether it was written nobody knows, and it comes again."""
    async with desk.broken(), asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(desk.letters.write(letter(b"1")))
        await asyncio.sleep(0)
        writing.cancel()

    await write_at_last(desk, letter(b"2"))

    assert writing.cancelled()
    assert (await desk.written())[-1].value == b"2"
