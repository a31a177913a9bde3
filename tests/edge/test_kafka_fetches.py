"""What a fetch brings is decoded as aiokafka decodes it."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchResponse_v11
from hypothesis import given
from hypothesis import strategies as st

from ingestor.edge.kafka_fetches import decode_fetch, read_correlation

SHORT, NUMBER, LONG = (st.integers(-(2**bits), 2**bits - 1) for bits in (15, 31, 63))
ABORTED = st.none() | st.lists(st.tuples(LONG, LONG), max_size=3)
RECORDS = st.none() | st.binary(max_size=40)
PARTITION = st.tuples(NUMBER, SHORT, LONG, LONG, LONG, ABORTED, NUMBER, RECORDS)
TOPICS = st.lists(st.tuples(st.text(max_size=5), st.lists(PARTITION, max_size=4)), max_size=3)


def packed(correlation: int, throttle: int, code: int, session: int, topics: Any) -> bytearray:
    """Write an answer as a broker does."""
    said = FetchResponse_v11(throttle, code, session, topics)
    return bytearray(correlation.to_bytes(4, "big", signed=True) + said.encode())


@given(NUMBER, NUMBER, SHORT, NUMBER, TOPICS)
def test_an_answer_is_decoded_as_by_aiokafka(
    correlation: int, throttle: int, code: int, session: int, topics: Sequence[Any]
) -> None:
    """Transactions that were aborted and partitions without records included."""
    answer = packed(correlation, throttle, code, session, topics)

    assert read_correlation(answer) == correlation
    assert decode_fetch(answer) == FetchResponse_v11.decode(io.BytesIO(answer[4:]))


@given(TOPICS.filter(bool), st.data())
def test_an_answer_that_ends_too_soon_is_none(topics: Sequence[Any], data: st.DataObject) -> None:
    """Wherever it was cut."""
    answer = packed(1, 0, 0, 0, topics)
    length = data.draw(st.integers(0, len(answer) - 1))

    with pytest.raises(ValueError, match=r"ends too soon|codec can't decode"):
        decode_fetch(answer[:length])
