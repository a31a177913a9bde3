"""Which offset may be committed, in whatever order things happen: beside a model of plain sets."""

from dataclasses import dataclass, field

from builders import record
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from ingestor.core.offsets import Claim, Mark, Offsets
from ingestor.core.record import Partition, Record


@dataclass
class Tenure:
    """An assignment, as a model keeps it: plain sets."""

    start: int
    committed: int
    read: list[int] = field(default_factory=list)
    unfinished: dict[int, float] = field(default_factory=dict)
    is_over: bool = False
    last_mark: int = 0

    @property
    def upcoming(self) -> int:
        return self.read[-1] + 1 if self.read else self.start

    @property
    def mark(self) -> int:
        return min(self.unfinished, default=self.upcoming)


@dataclass
class Topic:
    """A partition as it is at the broker: its records, what of them is finished, the commit."""

    records: list[int]
    committed: int
    finished: set[int] = field(default_factory=set)


Held = tuple[Claim, Tenure, Partition, int]
Sent = tuple[list[Mark], list[tuple[Tenure, int]]]
PARTITIONS = st.sampled_from([Partition("calls", number) for number in range(2)])


class Group(RuleBasedStateMachine):
    """A member of a group that reads two partitions, loses them and gets them again."""

    claims = Bundle("claims")
    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.topics = {Partition("calls", number): Topic([], number * 7) for number in range(2)}
        self.tenures: dict[Partition, Tenure] = {}
        self.now = 0.0

    def _end(self, partition: Partition) -> Tenure | None:
        tenure = self.tenures.pop(partition, None)
        if tenure:
            tenure.is_over = True
        return tenure

    @rule(partition=PARTITIONS)
    def assign(self, partition: Partition) -> None:
        self._end(partition)
        start = self.topics[partition].committed
        self.offsets.assign(partition, start)
        self.tenures[partition] = Tenure(start, start, last_mark=start)

    @rule()
    def void(self) -> None:
        for partition in list(self.tenures):
            self._end(partition)
        self.offsets.void()

    @rule(partition=PARTITIONS)
    def hand_over(self, partition: Partition) -> None:
        """Commit and begin anew: only what lies behind something unfinished is read twice."""
        self.send(is_acknowledged=True)
        before = self.tenures.get(partition)
        self.assign(partition)
        if before:
            done = set(before.read) - set(before.unfinished)
            twice = [offset for offset in done if offset >= self.tenures[partition].start]
            assert all(offset > min(before.unfinished) for offset in twice)

    @precondition(lambda self: self.tenures)
    @rule(
        target=claims, data=st.data(), gaps=st.lists(st.sampled_from([0, 0, 0, 1, 9]), max_size=5)
    )
    def read(self, data: st.DataObject, gaps: list[int]) -> object:
        partition = data.draw(st.sampled_from(sorted(self.tenures)))
        return multiple(*[self._read_one(partition, gap) for gap in gaps])

    def _read_one(self, partition: Partition, gap: int) -> Held:
        tenure, topic = self.tenures[partition], self.topics[partition]
        later = [offset for offset in topic.records if offset >= tenure.upcoming]
        if not later:
            later = [max([tenure.upcoming, *[each + 1 for each in topic.records[-1:]]]) + gap]
            topic.records.append(later[0])
        self.now += 1.0
        claim = self.offsets.claim(self._record(partition, later[0]), self.now)
        assert claim is not None
        assert (claim.offset, claim.since) == (later[0], self.now)
        tenure.read.append(later[0])
        tenure.unfinished[later[0]] = self.now
        return claim, tenure, partition, later[0]

    @rule(partition=PARTITIONS, back=st.integers(1, 5))
    def read_what_is_not_to_be_read(self, partition: Partition, back: int) -> None:
        tenure = self.tenures.get(partition)
        offset = tenure.upcoming - back if tenure else back

        assert self.offsets.claim(self._record(partition, offset), self.now) is None

    def _record(self, partition: Partition, offset: int) -> Record:
        return record(topic=partition.topic, partition=partition.number, offset=offset)

    @rule(held=claims)
    def settle(self, held: Held) -> None:
        claim, tenure, partition, offset = held
        is_open = not tenure.is_over and offset in tenure.unfinished

        assert claim.is_void is tenure.is_over
        assert claim.settle() is is_open
        if is_open:
            del tenure.unfinished[offset]
            self.topics[partition].finished.add(offset)

    @rule(target=sent, is_acknowledged=st.booleans())
    def send(self, is_acknowledged: bool) -> object:  # noqa: FBT001 - a draw
        """Commit; the broker's word may come later, or never."""
        marks = self.offsets.marks()
        models = [(self.tenures[mark.partition], mark.offset) for mark in marks]
        assert {mark.partition: mark.offset for mark in marks} == {
            partition: tenure.mark
            for partition, tenure in self.tenures.items()
            if tenure.mark > tenure.committed
        }
        for each in marks:
            self.topics[each.partition].committed = each.offset
        if is_acknowledged:
            self.acknowledge((marks, models))
            return multiple()
        return marks, models

    @rule(sent=consumes(sent))
    def acknowledge(self, sent: Sent) -> None:
        marks, models = sent
        self.offsets.commit(marks)
        for tenure, offset in models:
            tenure.committed = max(tenure.committed, offset)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Whatever is before a commit is finished, through all assignments."""
        for topic in self.topics.values():
            assert all(each in topic.finished for each in topic.records if each < topic.committed)

    @invariant()
    def marks_are_those_of_the_model(self) -> None:
        assert set(self.offsets.partitions) == set(self.tenures)
        for partition, tenure in self.tenures.items():
            ledger = self.offsets.ledgers()[partition]
            assert ledger.mark == tenure.mark
            assert ledger.oldest == tenure.unfinished.get(tenure.mark)
            assert all(ledger.mark <= offset for offset in tenure.unfinished)
            assert tenure.unfinished or ledger.mark == tenure.upcoming

    @invariant()
    def marks_never_go_back(self) -> None:
        for partition, tenure in self.tenures.items():
            now = self.offsets.ledgers()[partition].mark
            assert now >= tenure.last_mark
            tenure.last_mark = now


TestAnyOrderOfEvents = Group.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
