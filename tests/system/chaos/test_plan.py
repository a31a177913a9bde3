"""A plan follows from its seed, leaves the world well, and over the seeds does everything."""

from itertools import pairwise

from system.chaos.plan import (
    LONGER_THAN_A_SESSION,
    MOST_SLOTS,
    SECONDS,
    Answer,
    Crash,
    Disturb,
    Freeze,
    How,
    Kill,
    Plan,
    Start,
    Stop,
    plan,
)

PLANS = [plan(seed) for seed in range(200)]


def test_a_plan_follows_from_its_seed() -> None:
    """What failed once can be seen failing again."""
    assert [plan(seed) for seed in range(20)] == PLANS[:20]
    assert len({str(plan) for plan in PLANS}) == len(PLANS)


def test_every_deed_is_over_when_the_plan_is() -> None:
    """Steps are in order of time, and none lasts longer than the plan."""
    for drawn in PLANS:
        assert all(a.at <= b.at for a, b in pairwise(drawn.steps))
        for step in drawn.steps:
            match step.deed:
                case Freeze(seconds=seconds) | Disturb(seconds=seconds):
                    assert step.at + seconds <= SECONDS
                case _:
                    assert step.at <= SECONDS


def test_every_slot_is_used_and_no_other() -> None:
    """A service is started before anything happens to it, and once by the plan itself."""
    for drawn in PLANS:
        for slot in range(drawn.slots):
            first, *others = deeds(drawn, slot)
            assert isinstance(first, Start)
            assert not any(isinstance(deed, Start) for deed in others)
        assert deeds(drawn, drawn.slots) == []


def deeds(drawn: Plan, slot: int) -> list[Start | Kill | Stop | Freeze]:
    """List what is done to the process in *slot*."""
    return [
        step.deed
        for step in drawn.steps
        if isinstance(step.deed, Start | Kill | Stop | Freeze) and step.deed.slot == slot
    ]


def test_all_the_seeds_together_leave_nothing_out() -> None:
    """Each kind of deed, on each way, in both lengths, with every number of services."""
    done = [step.deed for drawn in PLANS for step in drawn.steps]
    disturbances = [deed for deed in done if isinstance(deed, Disturb)]

    assert {type(deed) for deed in done} == {Start, Kill, Stop, Freeze, Crash, Disturb, Answer}
    assert {(d.where, d.how, d.slot is None) for d in disturbances} == {
        (where, how, is_all) for where in ("kafka", "tuner") for how in How for is_all in (0, 1)
    }
    for kind in (Freeze, Disturb):
        lengths = [deed.seconds for deed in done if isinstance(deed, kind)]
        assert any(length >= LONGER_THAN_A_SESSION[0] for length in lengths)
        assert any(length < LONGER_THAN_A_SESSION[0] for length in lengths)
    assert {drawn.slots for drawn in PLANS} == set(range(2, MOST_SLOTS + 1))
    assert {drawn.is_static for drawn in PLANS} == {False, True}
