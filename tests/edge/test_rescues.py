"""Where the client fails the bytes are read without it: every record that can be read is handed
out, the rest as a range of offsets, and the other partitions never notice.
"""

from collections.abc import Sequence

import pytest
from edge.embedded import FIRST, SECOND, numbers, publish, reader_of
from edge.raw_batches import Poison

from ingestor.core.record import Record
from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.rescue import BITE_RECORDS

# What is wrong with a batch of which no record can be read.
CAUSES = {
    Poison.CHECKSUM: "a batch whose bytes are not those that were written",
    Poison.CODEC: "a codec that is not known",
    Poison.STREAM: "a broken gzip stream",
}


def ranges(records: Sequence[Record]) -> list[tuple[int, int, str]]:
    """Say which offsets the records with damage stand for, and why."""
    return [
        (record.offset, record.damage.last, record.damage.cause)
        for record in records
        if record.damage
    ]


async def publish_around(broker: EmbeddedBroker, poison: Poison) -> None:
    """Write 120 numbers to both partitions, a poisoned batch of two to the second, and two more
    numbers to both.
    """
    for where in (FIRST, SECOND):
        for start in range(0, 120, 40):
            await publish(broker, where, *numbers(*range(start, start + 40)))
    await publish(broker, SECOND, b"bad", b"too", poison=poison)
    for where in (FIRST, SECOND):
        await publish(broker, where, b"120", b"121")


@pytest.mark.parametrize("poison", CAUSES)
async def test_what_cannot_be_read_is_one_range_and_costs_nothing_else(
    broker: EmbeddedBroker, poison: Poison
) -> None:
    """Both partitions are read to their end in order, nothing comes twice, and the range comes in
    its place with the bytes of the batch.
    """
    await publish_around(broker, poison)

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.values(0)) == 122 and len(reader.values(1)) == 123)
        await publish(broker, FIRST, b"122")
        await publish(broker, SECOND, b"122")
        await reader.until(lambda: reader.values(0)[-1] == reader.values(1)[-1] == b"122")
        assert await reader.source.commit({FIRST: 123, SECOND: 125})

    second = reader.records_of(1)
    assert reader.values(0) == numbers(*range(123))
    assert [record.offset for record in second] == [*range(121), *range(122, 125)]
    assert ranges(second) == [(120, 121, CAUSES[poison])]
    assert b"??header??" in (second[120].value or b"")
    assert reader.values(1)[:120] + reader.values(1)[121:] == numbers(*range(123))
    assert [event for event, _ in reader.keeper.changes] == ["partition_unreadable"]
    assert len(reader.keeper.begun) == 1


async def test_a_header_name_that_is_no_text_costs_no_record(broker: EmbeddedBroker) -> None:
    """It is made legible; the client would give up the whole batch."""
    await publish_around(broker, Poison.HEADER)

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.values(0)) == 122 and len(reader.values(1)) == 124)

    assert reader.values(1) == [*numbers(*range(120)), b"bad", b"too", b"120", b"121"]
    assert ranges(reader.records) == []
    assert reader.records_of(1)[120].headers == ((r"\xff" * 10, b"x"),)


async def test_one_broken_batch_after_the_other_is_stepped_over(broker: EmbeddedBroker) -> None:
    """Each is a range of its own, and between them everything is read."""
    for number in range(6):
        await publish(broker, FIRST, b"bad", poison=Poison.CODEC)
        await publish(broker, FIRST, b"%d" % number)
        await publish(broker, FIRST, b"bad", b"bad", poison=Poison.CHECKSUM)

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 18)

    assert [record.value for record in reader.records if not record.damage] == numbers(*range(6))
    assert ranges(reader.records) == [
        found
        for base in range(0, 24, 4)
        for found in (
            (base, base, CAUSES[Poison.CODEC]),
            (base + 2, base + 3, CAUSES[Poison.CHECKSUM]),
        )
    ]


async def test_everything_unreadable_is_told_apart(broker: EmbeddedBroker) -> None:
    """When the end of a partition is unreadable, its range ends where the partition does."""
    for where in (FIRST, SECOND):
        await publish(broker, where, b"bad", b"bad", poison=Poison.CHECKSUM)

    async with reader_of(broker) as reader:
        await reader.until(lambda: len(reader.records) == 2)
        await publish(broker, FIRST, b"good")
        await reader.until(lambda: len(reader.records) == 3)

    assert {record.partition for record in reader.records[:2]} == {0, 1}
    assert ranges(reader.records) == [(0, 1, CAUSES[Poison.CHECKSUM])] * 2
    told = reader.keeper.told("partition_unreadable")
    assert {fields["partition"] for fields in told} == {"calls/0", "calls/1"}
    assert {fields["cause"] for fields in told} == {"CorruptRecordException"}


async def test_what_has_no_room_is_not_handed_out(broker: EmbeddedBroker) -> None:
    """A rescue hands out only what is asked for, as the client does."""
    await publish(broker, FIRST, b"bad", poison=Poison.CHECKSUM)
    await publish(broker, FIRST, b"good")

    async with reader_of(broker) as reader:
        await reader.until(lambda: reader.keeper.told("partition_unreadable"))
        for _ in range(20):
            assert await reader.take([SECOND]) == []
        await reader.until(lambda: len(reader.records) == 2)

    assert reader.values(0)[1] == b"good"


async def test_a_large_batch_is_handed_out_in_bites(broker: EmbeddedBroker) -> None:
    """No take gives more than the client would; in order, and what follows behind it."""
    many = numbers(*range(1_200))
    await publish(broker, FIRST, *many, poison=Poison.HEADER)
    await publish(broker, FIRST, b"last")

    async with reader_of(broker) as reader:
        bites = []
        while len(reader.records) < 1_201:
            bites.append(len(await reader.take()))

    assert reader.values(0) == [*many, b"last"]
    assert max(bites) == BITE_RECORDS
