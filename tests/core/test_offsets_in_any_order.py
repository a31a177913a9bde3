"""Which offset may be committed and what travels with it, in whatever order things happen: beside a
model of plain sets.
"""

from dataclasses import dataclass, field

from builders import record
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from ingestor.core.memo import read, write
from ingestor.core.offsets import Claim, Mark, Offsets
from ingestor.core.record import Damage, Partition, Record


@dataclass
class Tenure:
    """An assignment, as a model keeps it: plain sets. *recalled* is what the broker was told to be
    finished when it began.
    """

    start: int
    committed: int
    recalled: frozenset[int]
    read: list[int] = field(default_factory=list)
    claims: dict[int, Claim] = field(default_factory=dict)
    unfinished: dict[int, float] = field(default_factory=dict)
    others: dict[int, list[int]] = field(default_factory=dict)
    settled: list[int] = field(default_factory=list)
    told: int = 0
    is_over: bool = False
    last_mark: int = 0

    @property
    def upcoming(self) -> int:
        return self.read[-1] + 1 if self.read else self.start

    @property
    def mark(self) -> int:
        return min(self.unfinished, default=self.upcoming)

    @property
    def is_news(self) -> bool:
        return len(self.settled) > self.told


@dataclass
class Topic:
    """A partition as it is at the broker: its records, what of them is finished, and the commit,
    with what it tells to be finished beyond the offset; *is_cut* when witnesses may be gone.
    """

    records: list[int]
    committed: int
    metadata: str = ""
    told: frozenset[int] = frozenset()
    finished: set[int] = field(default_factory=set)
    is_cut: bool = False


Sent = tuple[list[Mark], list[tuple[Tenure, int, int]]]
FIRST, SECOND = (Partition("calls", number) for number in range(2))
PARTITIONS = st.sampled_from([FIRST, FIRST, SECOND])
# Between a record and the one before it; a record out of three that are read as one range.
GAP, BROKEN = st.sampled_from([0, 0, 0, 1, 9]), -3
GAPS = st.lists(GAP, min_size=1, max_size=12).map(tuple) | st.just((BROKEN, 0, 0))


class Group(RuleBasedStateMachine):
    """A member of a group that reads two partitions, loses them and gets them again."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.topics = {FIRST: Topic([], 0), SECOND: Topic([], 7)}
        self.tenures: dict[Partition, Tenure] = {}
        self.late: list[Claim] = []
        self.now = 0.0

    def _end(self, partition: Partition) -> None:
        if tenure := self.tenures.pop(partition, None):
            tenure.is_over = True
            self.late += tenure.claims.values()

    @initialize()
    def begin(self) -> None:
        for partition in self.topics:
            self.assign(partition)

    def assign(self, partition: Partition) -> None:
        """Begin at what is committed: after a rebalance, a restart or a kill."""
        self._end(partition)
        topic = self.topics[partition]
        start = topic.committed
        self.offsets.assign(partition, start, read(topic.metadata, start))
        self.tenures[partition] = Tenure(start, start, topic.told, last_mark=start)

    def void(self) -> None:
        """Lose everything."""
        for partition in list(self.tenures):
            self._end(partition)
        self.offsets.void()

    def set_back(self, partition: Partition, offset: int, *, is_cleared: bool) -> None:
        """Have an operator set the committed offset back, which is possible only while nobody is in
        the group; not every tool clears the metadata.
        """
        self.void()
        topic = self.topics[partition]
        if offset < topic.committed or is_cleared:
            topic.told = frozenset()
        topic.committed = min(offset, topic.committed)
        if is_cleared:
            topic.metadata = ""

    @rule(partition=PARTITIONS, data=st.data())
    def change_hands(self, partition: Partition, data: st.DataObject) -> None:
        match data.draw(st.sampled_from(["kill", "kill", "void", "set back"])):
            case "kill":
                self.assign(partition)
            case "void":
                self.void()
            case _:
                self.set_back(
                    partition,
                    data.draw(st.integers(0, 20)),
                    is_cleared=data.draw(st.booleans()),
                )

    @rule(partition=PARTITIONS)
    def hand_over(self, partition: Partition) -> None:
        """Commit and begin anew: whatever was finished is told, and nothing of it comes again."""
        self.commit("acknowledged")
        before = self.tenures.get(partition)
        self.assign(partition)
        if before:
            beyond = {
                offset for offset in before.settled if offset >= self.topics[partition].committed
            }
            assert beyond <= self.tenures[partition].recalled

    @rule(partition=PARTITIONS, gaps=GAPS, data=st.data())
    def read(self, partition: Partition, gaps: tuple[int, ...], data: st.DataObject) -> None:
        if partition not in self.tenures:
            self.assign(partition)
        for gap in gaps:
            self._read_one(partition, gap)
        self.settle(partition, data)

    def _read_one(self, partition: Partition, gap: int) -> None:
        tenure, topic = self.tenures[partition], self.topics[partition]
        later = [offset for offset in topic.records if offset >= tenure.upcoming]
        if not later:
            behind = max([tenure.upcoming, *[each + 1 for each in topic.records[-1:]]])
            later = [behind + max(0, gap)]
            topic.records.append(later[0])
        offset, *others = whole = later[: -BROKEN if gap == BROKEN else 1]
        topic.is_cut |= gap == BROKEN
        self.now += 1.0
        found = self._record(partition, offset, damage=whole[-1] if gap == BROKEN else None)
        claim = self.offsets.claim(found, self.now)
        tenure.read += whole
        if claim is None:
            assert {*whole} <= tenure.recalled & topic.finished, "only what is finished is left out"
            return
        assert topic.is_cut or offset not in tenure.recalled, "what was told comes again"
        assert (claim.offset, claim.since) == (offset, self.now)
        tenure.claims[offset] = claim
        tenure.unfinished[offset] = self.now
        tenure.others[offset] = others

    @rule(partition=PARTITIONS, back=st.integers(1, 5))
    def read_what_is_not_to_be_read(self, partition: Partition, back: int) -> None:
        tenure = self.tenures.get(partition)
        offset = tenure.upcoming - back if tenure else back

        assert self.offsets.claim(self._record(partition, offset), self.now) is None

    def _record(self, partition: Partition, offset: int, damage: int | None = None) -> Record:
        return record(
            damage=None if damage is None else Damage(damage, "a cause"),
            topic=partition.topic,
            partition=partition.number,
            offset=offset,
            timestamp=-1 if damage is not None else 1_781_108_062_500 + offset * offset % 97,
        )

    @rule(partition=PARTITIONS, data=st.data())
    def compact(self, partition: Partition, data: st.DataObject) -> None:
        """Have the broker remove a record, be it a witness."""
        topic = self.topics[partition]
        if topic.records[:-1]:
            topic.records.remove(data.draw(st.sampled_from(topic.records[:-1])))
            topic.is_cut = True

    @rule(partition=PARTITIONS, data=st.data())
    def settle(self, partition: Partition, data: st.DataObject) -> None:
        """Settle some records, the first one rarely: what is beyond it matters."""
        tenure = self.tenures.get(partition)
        if not tenure or not tenure.unfinished:
            return
        first, *others = sorted(tenure.unfinished)
        some = [offset for offset in others if data.draw(st.booleans())]
        if data.draw(st.integers(0, 3)) == 3:
            some.insert(0, first)
        for offset in some:
            assert tenure.claims[offset].settle()
            assert not tenure.claims[offset].settle(), "once"
            del tenure.unfinished[offset]
            tenure.settled += [offset, *tenure.others[offset]]
            self.topics[partition].finished.update([offset, *tenure.others[offset]])

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def settle_late(self, data: st.DataObject) -> None:
        """Settle a claim of an assignment that is over."""
        claim = data.draw(st.sampled_from(self.late))
        assert claim.is_void
        assert not claim.settle()

    @rule(target=sent, fate=st.sampled_from(["acknowledged", "acknowledged", "unheard", "lost"]))
    def commit(self, fate: str) -> object:
        """Commit; the broker may refuse, and its word may come later, or never."""
        marks = self.offsets.marks()
        tenures = [(self.tenures[mark.partition], mark.offset) for mark in marks]
        models = [(tenure, offset, len(tenure.settled)) for tenure, offset in tenures]
        news = {name for name, tenure in self.tenures.items() if tenure.is_news}
        ahead = {
            name for name, tenure in self.tenures.items() if self._mark(name) > tenure.committed
        }
        assert {mark.partition for mark in marks} == news | ahead
        if fate == "lost":
            return multiple()
        for mark in marks:
            self._apply(mark)
        if fate == "acknowledged":
            self.acknowledge((marks, models))
            return multiple()
        return marks, models

    def _mark(self, partition: Partition) -> int:
        return self.offsets.ledgers()[partition].mark

    def _apply(self, mark: Mark) -> None:
        topic, tenure = self.topics[mark.partition], self.tenures[mark.partition]
        topic.committed = mark.offset
        topic.metadata = write(mark.memo) if mark.memo else ""
        open_ranges = {each for offset in tenure.unfinished for each in tenure.others[offset]}
        known = tenure.recalled - {*tenure.unfinished} - open_ranges | {*tenure.settled}
        topic.told = frozenset(offset for offset in known if offset >= mark.offset)

    @rule(sent=consumes(sent))
    def acknowledge(self, sent: Sent) -> None:
        marks, models = sent
        self.offsets.commit(marks)
        for tenure, offset, settled in models:
            tenure.committed = max(tenure.committed, offset)
            tenure.told = max(tenure.told, settled)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Whatever is before a commit, or told to be finished beyond it, is finished, through all
        assignments.
        """
        for topic in self.topics.values():
            assert all(each in topic.finished for each in topic.records if each < topic.committed)
            assert topic.told <= topic.finished

    @invariant()
    def marks_are_those_of_the_model(self) -> None:
        assert set(self.offsets.partitions) == set(self.tenures)
        for partition, tenure in self.tenures.items():
            ledger = self.offsets.ledgers()[partition]
            assert ledger.mark == tenure.mark or self._waits(tenure, ledger.mark)
            assert ledger.oldest == tenure.unfinished.get(tenure.mark)

    def _waits(self, tenure: Tenure, mark: int) -> bool:
        """Tell whether *mark* is that of a stretch whose end is still to be read."""
        read = {offset for offset in tenure.read if offset >= mark}
        return mark in read and not tenure.unfinished and read <= tenure.recalled

    @invariant()
    def marks_never_go_back(self) -> None:
        for partition, tenure in self.tenures.items():
            now = self._mark(partition)
            assert now >= tenure.last_mark
            tenure.last_mark = now


TestAnyOrderOfEvents = Group.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
