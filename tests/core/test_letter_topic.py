"""A topic for letters keeps every one of them, for as long as it takes."""

import pytest

from ingestor.core.letter_topic import (
    HEADROOM,
    SHORT_DAYS,
    NewTopic,
    Prepared,
    Shape,
    Unfit,
    design,
    examine,
)

DAY = 86_400_000
GOOD = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


@pytest.mark.parametrize("policy", ["compact", "compact,delete", "delete,compact"])
def test_a_compacted_topic_is_unfit(policy: str) -> None:
    """Letters of one call have one key: all but the last would be erased."""
    found = examine("letters", GOOD | {"cleanup.policy": policy})

    assert isinstance(found, Unfit)
    assert found.why.startswith("dead-letter topic letters is compacted, ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ()),
        ({"retention.ms": str(SHORT_DAYS * DAY)}, ()),
        ({"retention.ms": None, "retention.bytes": None}, ()),
        ({"retention.ms": "soon"}, ()),
        (
            {"retention.ms": str(7 * DAY)},
            ("letters are removed after 7 days; set its retention.ms to -1",),
        ),
        (
            {"retention.ms": "3600000"},
            ("letters are removed after 0.0417 days; set its retention.ms to -1",),
        ),
        (
            {"retention.bytes": "1000"},
            ("letters are removed above 1000 bytes; set its retention.bytes to -1",),
        ),
    ],
)
def test_what_removes_letters_is_told(changes: dict[str, str | None], said: tuple[str]) -> None:
    """Kafka's own default is a week: that is over before somebody is back from a holiday."""
    assert examine("letters", GOOD | changes) == Prepared(said)


def test_settings_that_may_not_be_read_are_told() -> None:
    """They are no reason not to start."""
    found = examine("letters", None)

    assert isinstance(found, Prepared)
    assert "DescribeConfigs" in found.oddities[0]


def test_a_new_topic_is_as_wide_and_as_safe_as_its_sources_and_takes_larger_records() -> None:
    """Nothing in it is ever removed."""
    sources = [
        Shape(12, 3, {"max.message.bytes": "1048588"}),
        Shape(6, 2, {"max.message.bytes": "8000000"}),
        Shape(1, 1),
    ]

    config = GOOD | {"max.message.bytes": str(8_000_000 + HEADROOM)}
    assert design(sources) == NewTopic(12, 3, config)


@pytest.mark.parametrize(
    ("config", "largest"), [(None, None), ({"max.message.bytes": str(2**31 - 1)}, 2**31 - 1)]
)
def test_the_size_of_its_records_has_bounds(
    config: dict[str, str | None] | None, largest: int | None
) -> None:
    """It is left to the broker when it is not known, and Kafka has a largest one."""
    size = {} if largest is None else {"max.message.bytes": str(largest)}

    assert design([Shape(1, 1, config)]) == NewTopic(1, 1, GOOD | size)
