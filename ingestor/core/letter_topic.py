"""Decides whether a topic is fit for letters, and how one is made that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DAY_MS = 86_400_000
# Letters wait for people.
SHORT_DAYS = 30
# A letter is its event with our headers; the longest of these tell of twenty places in it.
HEADROOM = 256 * 1024
_MOST_BYTES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Shape:
    """What there is to know of a topic; *config* as the broker writes it, None when it may not be
    asked for.
    """

    partitions: int
    replicas: int
    config: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Letters can be written; *oddities* say what somebody may not have meant."""

    oddities: tuple[str, ...] = ()
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """Letters would not be safe, and *why*."""

    why: str


def examine(topic: str, config: Mapping[str, str | None] | None) -> Prepared | Unfit:
    """Judge the settings of *topic*."""
    if config is None:
        oddity = "its settings may not be read: see for yourself that it is not compacted"
        return Prepared((f"{oddity} (or grant DescribeConfigs)",))
    policy = config.get("cleanup.policy") or ""
    if "compact" in policy:
        return Unfit(
            f"dead-letter topic {topic} is compacted, which erases all but the last letter of each "
            "key; set its cleanup.policy to delete, or name another topic"
        )
    oddities = []
    keeps_ms = _number(config.get("retention.ms"))
    if keeps_ms is not None and 0 <= keeps_ms < SHORT_DAYS * DAY_MS:
        days = f"{keeps_ms / DAY_MS:.3g} days"
        oddities.append(f"letters are removed after {days}; set its retention.ms to -1")
    keeps_bytes = _number(config.get("retention.bytes"))
    if keeps_bytes is not None and keeps_bytes >= 0:
        oddities.append(
            f"letters are removed above {keeps_bytes} bytes; set its retention.bytes to -1"
        )
    return Prepared(tuple(oddities))


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic to make."""

    partitions: int
    replicas: int
    config: Mapping[str, str] = field(default_factory=dict)


def design(sources: Sequence[Shape]) -> NewTopic:
    """Design a topic for the letters of *sources*: as wide and as safe as they are, for ever, and
    for larger records.
    """
    config = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
    sizes = [_number((shape.config or {}).get("max.message.bytes")) for shape in sources]
    if largest := max((size for size in sizes if size is not None), default=None):
        config["max.message.bytes"] = str(min(largest + HEADROOM, _MOST_BYTES))
    return NewTopic(
        max(shape.partitions for shape in sources),
        max(shape.replicas for shape in sources),
        config,
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
