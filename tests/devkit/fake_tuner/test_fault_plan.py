"""Which request meets which fault."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.devkit.fake_tuner import Dice, Fault, Reply, Reset, Script, Serve, Window
from ingestor.devkit.fake_tuner.fault_plan import FaultPlan, Sender

BUSY, GONE = Reply(503), Reset()


def plan(*rules: Script | Dice | Window, now: float = 0.0) -> FaultPlan:
    made = FaultPlan()
    made.add(rules, now)
    return made


def met(of: FaultPlan, *call_ids: str | None, now: float = 0.0) -> list[Fault | None]:
    return [of.next(Sender(call_id), now) for call_id in call_ids]


def test_without_rules_nothing_happens() -> None:
    """An empty plan serves everybody."""
    assert met(plan(), "a", None) == [None, None]


def test_a_script_is_used_up_in_order() -> None:
    """Whoever comes next gets the next answer, then service is normal."""
    assert met(plan(Script(answers=(BUSY, GONE))), "a", "b", "a") == [BUSY, GONE, None]


def test_a_script_can_be_every_calls_own() -> None:
    """With each_call every call_id begins at the first answer."""
    of = plan(Script(answers=(BUSY, GONE), each_call=True))

    assert met(of, "a", "b", "a", "b", "a") == [BUSY, BUSY, GONE, GONE, None]


def test_a_script_can_serve_in_between() -> None:
    """Serve is an answer like others, and no later rule interferes with it."""
    of = plan(Script(answers=(Serve(),)), Script(answers=(BUSY,)))

    assert met(of, "a", "a", "a") == [Serve(), BUSY, None]


@pytest.mark.parametrize(
    ("rule", "sender", "meets"),
    [
        (Script(answers=(BUSY,)), Sender(), True),
        (Script(answers=(BUSY,), call_id="order-*"), Sender("order-7"), True),
        (Script(answers=(BUSY,), call_id="order-*"), Sender("refund-7"), False),
        (Script(answers=(BUSY,), call_id="order-*"), Sender(None), False),
        (Script(answers=(BUSY,), call_id="ORDER-*"), Sender("order-7"), False),
        (Script(answers=(BUSY,), agent="a?"), Sender("x", "a1"), True),
        (Script(answers=(BUSY,), agent="a?"), Sender("x", "b1"), False),
        (Script(answers=(BUSY,), key="revoked"), Sender(key="revoked"), True),
        (Script(answers=(BUSY,), key="revoked"), Sender(key="good"), False),
        (Script(answers=(BUSY,), workspace_id=7), Sender(workspace_id=7), True),
        (Script(answers=(BUSY,), workspace_id=7), Sender(workspace_id=8), False),
        (Script(answers=(BUSY,), workspace_id=7), Sender(), False),
    ],
)
def test_a_rule_meets_whom_it_aims_at(rule: Script, sender: Sender, *, meets: bool) -> None:
    """Patterns tell case apart; what a request lacks matches only what matches everything."""
    assert (plan(rule).next(sender, 0.0) is not None) == meets


def test_who_is_not_aimed_at_uses_nothing_up() -> None:
    """A script waits for its own."""
    assert met(plan(Script(answers=(BUSY,), call_id="b")), "a", "b") == [None, BUSY]


@pytest.mark.parametrize(
    ("now", "meets"), [(9.9, False), (10.0, True), (14.9, True), (15.0, False)]
)
def test_a_window_opens_and_closes(now: float, *, meets: bool) -> None:
    """A window begins some time after it was added and lasts its seconds."""
    of = plan(Window(after=5, seconds=5, fault=BUSY), now=5.0)

    assert met(of, "a", now=now) == [BUSY if meets else None]


def test_the_first_rule_with_something_to_say_goes() -> None:
    """A rule that has nothing for a request leaves it to the next one."""
    of = plan(Window(seconds=1, fault=GONE), Script(answers=(BUSY,)))

    assert met(of, "a") == [GONE]
    assert met(of, "a", "a", now=2.0) == [BUSY, None]


def test_a_plan_can_be_cleared() -> None:
    """After that nothing happens any more."""
    of = plan(Window(seconds=1, fault=GONE))
    assert list(of.rules) == [Window(seconds=1, fault=GONE)]

    of.clear()

    assert met(of, "a") == [None]
    assert list(of.rules) == []


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_a_share_meets_about_that_many(share: float) -> None:
    """Over many calls the dice keep to their share, exactly so at its ends."""
    hit = [
        of is not None for of in met(plan(Dice(share=share, fault=BUSY)), *map(str, range(4000)))
    ]

    assert abs(sum(hit) / 4000 - share) <= (0.03 if 0 < share < 1 else 0)


@settings(derandomize=True, deadline=None)
@given(st.integers(), st.lists(st.text(max_size=2), max_size=40), st.randoms())
def test_a_share_does_not_care_about_the_order(
    seed: int, call_ids: list[str], dice: random.Random
) -> None:
    """However requests overtake each other, the same posts of the same calls meet the fault."""
    shuffled = dice.sample(call_ids, len(call_ids))
    rule = Dice(share=0.5, fault=BUSY, seed=seed)

    def by_call(ids: list[str]) -> dict[str, list[Fault | None]]:
        found: dict[str, list[Fault | None]] = {}
        for call_id, fault in zip(ids, met(plan(rule), *ids), strict=True):
            found.setdefault(call_id, []).append(fault)
        return found

    assert by_call(call_ids) == by_call(shuffled)


def test_a_share_rolls_anew_for_every_post_of_a_call() -> None:
    """With half a share nobody fails for ever, nor is anybody always spared."""
    of = plan(Dice(share=0.5, fault=BUSY, seed=1))

    assert {None, BUSY} == set(met(of, *["a"] * 20))


def test_another_seed_is_another_run() -> None:
    """The dice know their seed."""
    ids = [str(number) for number in range(100)]

    runs = [met(plan(Dice(share=0.5, fault=BUSY, seed=seed)), *ids) for seed in (1, 2)]

    assert runs[0] != runs[1]
