"""What is found where the client cannot read, and what is believed of it."""

import asyncio
import struct
from collections.abc import Callable

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NotLeaderForPartitionError
from edge.altering import Alteration, altering, flip
from edge.embedded import FIRST, GROUP, SECOND, SESSION_SECONDS, numbers, publish
from edge.members import Keeper, Member, member
from edge.raw_batches import Poison, batch, produce

from ingestor.core.record import Damage, Record
from ingestor.devkit.embedded_broker import Api, EmbeddedBroker
from ingestor.edge.kafka_connection import Connection
from ingestor.edge.rescue import BITE_BYTES, BITE_RECORDS, UNTRUSTED, Rescue, rescue
from ingestor.edge.rescues import Rescues

CORRUPT, OUT_OF_RANGE, NOT_THE_LEADER = 2, 1, 6
ALWAYS = 1_000
VALUE = 70


async def begun(broker: EmbeddedBroker, offset: int = 0) -> Rescue:
    """Read the first partition from *offset* on."""
    return await rescue(Connection(broker.bootstrap_servers, "test"), FIRST, offset)


def everything(found: Rescue) -> list[Record]:
    """Take all that there is."""
    records = []
    while not found.is_over:
        records += found.bite()
    return records


# What is found


async def test_it_comes_in_bites(broker: EmbeddedBroker) -> None:
    """Nobody is given more at a time than the client would hand out."""
    many = numbers(*range(BITE_RECORDS + 200))
    await publish(broker, FIRST, *many)

    found = await begun(broker)
    first, second = found.bite(), found.bite()

    assert [record.value for record in first + second] == many
    assert (len(first), found.next, found.is_over) == (BITE_RECORDS, len(many), True)


async def test_bites_are_bounded_in_bytes_too(broker: EmbeddedBroker) -> None:
    """Few records can be large."""
    large = b"x" * (BITE_BYTES // 4)
    await produce(broker.bootstrap_servers, *FIRST, batch(*[large] * 6, most_bytes=2**22))

    found = await begun(broker)

    assert [len(found.bite()) for _ in range(2)] == [4, 2]


async def test_at_the_end_there_is_nothing(broker: EmbeddedBroker) -> None:
    """The client goes on where it was, and finds out by itself when it is beyond."""
    await publish(broker, FIRST, b"1")

    for offset in (1, 5):
        found = await begun(broker, offset)

        assert found.is_empty
        assert everything(found) == []
        assert found.next == offset


async def test_an_offset_that_is_gone_is_for_the_client(broker: EmbeddedBroker) -> None:
    """It starts over."""
    await publish(broker, FIRST, b"1")
    broker.fail_next(Api.FETCH, [OUT_OF_RANGE])

    assert (await begun(broker)).is_empty


@pytest.mark.parametrize(
    ("hinder", "error"),
    [
        (lambda broker: broker.fail_next(Api.FETCH, [NOT_THE_LEADER]), NotLeaderForPartitionError),
        (lambda broker: broker.move_leader(*FIRST, broker=None), LeaderNotAvailableError),
        (lambda broker: broker.take_down(), KafkaError),
    ],
    ids=["another leader", "no leader", "no broker"],
)
async def test_what_the_broker_does_not_give_is_tried_again_by_others(
    broker: EmbeddedBroker, hinder: Callable[[EmbeddedBroker], None], error: type[Exception]
) -> None:
    """It says nothing of the bytes."""
    await publish(broker, FIRST, b"1")
    hinder(broker)

    with pytest.raises(error):
        await begun(broker)


async def test_the_end_of_what_cannot_be_trusted_is_asked_for(broker: EmbeddedBroker) -> None:
    """This broker sends one batch at a time, so that the bytes do not show it; where it cannot read
    itself the range ends, and whoever reads on finds out.
    """
    await publish(broker, FIRST, *numbers(*range(9)), poison=Poison.CHECKSUM)
    await publish(broker, FIRST, b"9")

    (record,) = everything(await begun(broker, 3))
    assert (record.offset, record.damage) == (3, Damage(8, UNTRUSTED))

    broker.fail_next(Api.FETCH, [0, 0, 0, 0, CORRUPT])
    (record,) = everything(await begun(broker))
    assert record.damage is not None
    assert record.damage.last < 8


# What is believed


async def read_altered(broker: EmbeddedBroker, alteration: Alteration, count: int) -> Member:
    """Take *count* records of the first partition, altered on their way."""
    async with (
        altering(broker.bootstrap_servers, alteration) as address,
        member(address, "calls", group=GROUP, session_seconds=SESSION_SECONDS) as reader,
    ):
        await reader.until(lambda: len(reader.records) >= count)
    return reader


@pytest.mark.parametrize("times", [1, 2])
async def test_a_fault_on_the_way_is_no_fault_of_the_batch(
    broker: EmbeddedBroker, times: int
) -> None:
    """The client met it, then the first read over another connection: the next one does not."""
    raw = batch(b"1", b"2")
    await produce(broker.bootstrap_servers, *FIRST, raw)
    alteration = Alteration(raw, flip(VALUE), times)

    reader = await read_altered(broker, alteration, 2)

    assert alteration.done == times
    assert [(record.value, record.damage) for record in reader.records] == [
        (b"1", None),
        (b"2", None),
    ]
    assert len(reader.keeper.told("partition_stuck")) == times - 1


async def test_a_fault_that_is_there_again_is_believed(broker: EmbeddedBroker) -> None:
    """The range has the bytes as they came, and what stands behind it is read."""
    raw = batch(b"1", b"2")
    await produce(broker.bootstrap_servers, *FIRST, raw)
    await publish(broker, FIRST, b"3")

    reader = await read_altered(broker, Alteration(raw, flip(VALUE), ALWAYS), 2)

    lost, after = reader.records
    assert (lost.offset, lost.next, lost.damage) == (0, 2, Damage(1, UNTRUSTED))
    assert lost.value is not None
    assert len(lost.value) == len(raw)
    assert (after.offset, after.value) == (2, b"3")


async def test_an_offset_beyond_the_end_is_not_believed(broker: EmbeddedBroker) -> None:
    """It is not under the checksum: the client would go there, and lose what lies between."""
    raw = batch(b"1", b"2")
    await produce(broker.bootstrap_servers, *FIRST, raw)
    await publish(broker, FIRST, b"3")

    def move(frame: bytearray, start: int) -> None:
        struct.pack_into(">q", frame, start, 2**40)

    reader = await read_altered(broker, Alteration(raw, move, ALWAYS), 2)

    lost, after = reader.records
    assert (lost.offset, lost.next, after.offset, after.value) == (0, 2, 2, b"3")
    (told,) = reader.keeper.told("partition_unreadable")
    assert told["cause"] == "OffsetsOutOfOrder"


class Failing:
    """A client that fails wherever it goes on; *resumed* is where it did."""

    def __init__(self) -> None:
        self.resumed: list[int] = []
        self._is_paused = False

    def pause(self, _: TopicPartition) -> None:
        """Leave a partition alone."""
        self._is_paused = True

    def resume(self, _: TopicPartition) -> None:
        """Go on with it."""
        self._is_paused = False

    def seek(self, _: TopicPartition, offset: int) -> None:
        """Go on from an offset."""
        if not self._is_paused:
            self.resumed.append(offset)


async def test_a_partition_that_fails_again_and_again_is_relieved_for_longer(
    broker: EmbeddedBroker,
) -> None:
    """Each failure of the client costs the other partitions what they had fetched. It is told
    once, and again for another cause.
    """
    for number in range(40):
        await publish(broker, FIRST, b"%d" % number)
    keeper, client, name = Keeper([]), Failing(), TopicPartition(*FIRST)
    rescues = Rescues(Connection(broker.bootstrap_servers, "test"), keeper)
    values, offset = [], 0

    for cause in ["any"] * 5 + ["another"]:
        rescues.begin(client, name, offset, cause)
        while name in rescues:
            records, offset = rescues.read(client, name)
            values += [record.value for record in records]
            await asyncio.sleep(0.001)
    await rescues.close()

    assert client.resumed == [0, 1, 1, 3, 3, 7, 7, 15, 15, 31, 31, 32]
    assert values == numbers(*range(32))
    assert [fields["cause"] for fields in keeper.told("partition_unreadable")] == ["any", "another"]


async def test_whoever_closes_gives_a_rescue_up(broker: EmbeddedBroker) -> None:
    """Its connections are closed too: one that is forgotten is an error here."""
    await publish(broker, FIRST, b"1", poison=Poison.CHECKSUM)

    async with member(
        broker.bootstrap_servers, "calls", group=GROUP, session_seconds=SESSION_SECONDS
    ) as reader:
        await reader.joined()
        while not reader.keeper.told("partition_unreadable"):
            await reader.take()


async def test_what_a_broker_cannot_read_itself_is_told_and_waited_for(
    broker: EmbeddedBroker,
) -> None:
    """The client only writes a line into a log, for ever; here it stops nobody else."""
    for where in (FIRST, SECOND):
        await publish(broker, where, b"1")

    async with member(
        broker.bootstrap_servers,
        "calls",
        group=GROUP,
        session_seconds=SESSION_SECONDS,
        stall_seconds=0.1,
    ) as reader:
        await reader.joined()
        broker.fail_next(Api.FETCH, [CORRUPT] * 5_000)
        async with asyncio.timeout(20):
            while not reader.keeper.told("partition_stuck"):
                await reader.take()
                await reader.source.ends()
        broker.record_requests()
        await reader.until(lambda: sum(each.api == Api.FETCH for each in broker.requests()) > 3)
        broker.fail_no_more(Api.FETCH)
        await reader.until(lambda: len(reader.records) == 2)

    assert {fields["cause"] for fields in reader.keeper.told("partition_unreadable")} == {
        "NothingRead"
    }
    stuck = reader.keeper.told("partition_stuck")
    assert [fields["cause"] for fields in stuck] == ["CorruptRecordException"] * 2
