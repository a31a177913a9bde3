"""Turns what happens into log lines, counts and readiness.

One line per change of state and per letter, none per delivered call; never a key, nor a word of
what a call holds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from structlog.typing import FilteringBoundLogger

from ingestor.core.answer import Answer, Answered, Fault
from ingestor.core.backlog import Backlog
from ingestor.core.notice import Kind, Matter, Notice
from ingestor.core.outcome import Dead, Delivered, Duplicate, Ignored, Outcome
from ingestor.core.record import Partition, Record
from ingestor.edge.health import Health, fields
from ingestor.edge.metrics import Metrics

MOST_TYPES = 100
# Of what is held a reminder names so many, and counts the others: an event may name any workspace.
MOST_REMINDERS = 10
# The events that tell of a hold's begin and of its end.
CHANGES = {
    Kind.FAULT: ("held", "lifted"),
    Kind.OUTAGE: ("outage", "outage_over"),
    Kind.LETTERS: ("letters_held", "letters_released"),
}
# Changes that somebody should look at; all others are told at level info.
WARNINGS = frozenset(
    {
        "commit_refused",
        "dead_letter_topic_odd",
        "dead_letter_topic_unfit",
        "kafka_failed",
        "key_unreadable",
        "letter_stuck",
        "letters_stuck",
        "membership_in_doubt",
        "memo_too_long",
        "offsets_out_of_range",
        "partition_forbidden",
        "partition_stuck",
        "partition_unreadable",
        "waiting_for_kafka",
    }
)


class ServiceObserver:
    """The flow's observer, and the source's."""

    def __init__(self, log: FilteringBoundLogger, metrics: Metrics, health: Health) -> None:
        self._log = log
        self._metrics = metrics
        self._health = health
        metrics.records.begin("delivered", "")
        metrics.records.begin("duplicate", "")
        self._ignored_types: set[str | None] = set()

    def attempted(self, answer: Answer, seconds: float) -> None:
        """Count an attempt; of a repeat also the one before it."""
        metrics = self._metrics
        metrics.attempts.add(answer.status if isinstance(answer, Answered) else answer.fault)
        metrics.request_seconds.add(seconds)
        if answer.is_repeat:
            metrics.attempts.add(Fault.DISCONNECTED)
            metrics.request_seconds.add(seconds)

    def ended(self, record: Record, outcome: Outcome) -> None:
        """Count a finished record; a letter is told."""
        match outcome:
            case Delivered():
                self._metrics.records.add("delivered", "")
                self._metrics.event_age_seconds.add(max(0.0, time.time() - record.timestamp / 1000))
            case Duplicate():
                self._metrics.records.add("duplicate", "")
            case Ignored(reason, event_type):
                self._metrics.records.add("ignored", reason)
                self._tell_ignored(reason, event_type)
            case Dead():
                self._metrics.records.add("dead", outcome.reason)
                self._tell_dead(record, outcome)
            case unknown:
                assert_never(unknown)

    def held(self, notice: Notice) -> None:
        """Tell that a hold began, or an outage."""
        matter = notice.matter
        self._health.held[matter] = notice
        self._metrics.state.labels(matter.what, matter.kind.value).set(1)
        begun, _ = CHANGES[matter.kind]
        self._teller(matter.kind)(begun, **fields(notice))

    def still_held(self, notices: Sequence[Notice]) -> None:
        """Tell in one line of all that is held, our own faults first."""
        self._health.held.update((notice.matter, notice) for notice in notices)
        held = sorted(notices, key=lambda it: it.matter.kind is Kind.OUTAGE)
        named = [fields(notice) for notice in held[:MOST_REMINDERS]]
        tell = self._teller(held[0].matter.kind)
        tell("still_held", holds=named, more=len(held) - len(named))

    def lifted(self, matter: Matter) -> None:
        """Tell that it is over."""
        del self._health.held[matter]
        self._metrics.state.remove(matter.what, matter.kind.value)
        _, over = CHANGES[matter.kind]
        self._log.info(over, state=matter.kind.value, what=matter.what)

    def behind(self, backlogs: Mapping[Partition, Backlog]) -> None:
        """Show how far behind the partitions are."""
        self._metrics.backlogs(backlogs)

    def lost(self, partition: Partition, first: int, last: int) -> None:
        """Tell, and count, the offsets that retention removed before they were read."""
        count = last - first + 1
        self._metrics.lost.labels(partition.topic, str(partition.number)).inc(count)
        self._log.error(
            "records_lost_to_retention",
            partition=str(partition),
            first=first,
            last=last,
            count=count,
        )

    def changed(self, event: str, **fields: object) -> None:
        """Tell of a change."""
        if event == "partitions_assigned":
            self._health.has_joined = True
        elif event == "draining":
            self._health.is_draining = True
        tell = self._log.warning if event in WARNINGS else self._log.info
        tell(event, **fields)

    def _teller(self, kind: Kind) -> Callable[..., object]:
        """Choose how loudly to tell: nobody has to mend anything of ours in an outage."""
        return self._log.warning if kind is Kind.OUTAGE else self._log.error

    def _tell_ignored(self, reason: str, event_type: str | None) -> None:
        """Tell of the first ignored record of each type; their number is bounded, their source is
        not.
        """
        if event_type not in self._ignored_types and len(self._ignored_types) < MOST_TYPES:
            self._ignored_types.add(event_type)
            self._log.info(
                "ignored", reason=reason, type=None if event_type is None else event_type[:100]
            )

    def _tell_dead(self, record: Record, dead: Dead) -> None:
        self._log.warning(
            "letter",
            reason=dead.reason.value,
            message=dead.message,
            status=dead.status,
            attempts=dead.tries.count,
            call_id=dead.call_id,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )
