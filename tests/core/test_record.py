"""What Kafka hands over."""

from builders import record
from core.tables import table

from ingestor.core.record import Damage, Partition, Record


def test_a_record_knows_its_partition() -> None:
    """Its origin is what offsets are kept by; letters name the two by themselves."""
    found = record(topic="calls", partition=3)

    assert found.origin == Partition("calls", 3)
    assert (found.topic, found.partition) == ("calls", 3)


def test_a_partition_is_written_as_topic_and_number() -> None:
    """Logs and reports write it in one form."""
    assert str(Partition("calls", 3)) == "calls/3"


@table(
    "held, size",
    {
        "a tombstone holds nothing": (record(None), 0),
        "a value": (record(b"12345"), 5),
        "a key beside it": (record(b"12345", key=b"123"), 8),
        "a key alone": (record(None, key=b"123"), 3),
        "headers with and without a value": (
            record(b"12345", headers=[("name", b"1234567"), ("n", None)]),
            17,
        ),
    },
)
def test_the_size_of_a_record_is_all_that_it_holds(held: Record, size: int) -> None:
    """The waiting room is bounded in bytes, and headers are bytes."""
    assert held.size == size


def test_a_record_stands_for_its_offset_or_for_a_range() -> None:
    """What comes next is behind all that it stands for."""
    assert record(offset=7).next == 8
    assert record(offset=7, damage=Damage(9, "a cause")).next == 10
