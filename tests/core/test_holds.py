"""How long our own fault keeps calls waiting."""

from builders import destination, route
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.holds import (
    MOST_FAILURES,
    OUR_FAULT,
    OUTAGE,
    Key,
    Lesson,
    Standing,
    State,
    Turn,
    key,
    lesson,
)
from ingestor.core.route import Route
from ingestor.core.verdict import Accepted, Hold, Refused, Scope, TryAgain, Verdict

HERE = route()
OTHERS = {
    "another credential": route(to=destination(credential="us")),
    "another address": route(to=destination("https://other.example.test")),
    "another workspace": route(workspace="8"),
    "another agent": route(agent="night-desk"),
}
STOPPED = {
    Scope.CREDENTIAL: {"another address", "another workspace", "another agent"},
    Scope.WORKSPACE: {"another address", "another agent"},
    Scope.DESTINATION: {"another workspace", "another agent"},
    Scope.ROUTE: set(),
    Scope.SERVER: {"another credential", "another workspace", "another agent"},
}


@table(
    "scope, other, is_stopped",
    {
        f"{scope}: {name}": (scope, other, name in STOPPED[scope])
        for scope in Scope
        for name, other in OTHERS.items()
    },
)
def test_a_hold_stops_what_shares_its_key(scope: Scope, other: Route, *, is_stopped: bool) -> None:
    """And nothing else: one foreign workspace does not stop the others."""
    assert (key(scope, HERE) == key(scope, other)) is is_stopped


def test_a_key_names_what_it_stops() -> None:
    """Logs and the status page show it; no key of Tuner's is in it."""
    assert [str(key(scope, HERE)) for scope in Scope] == [
        "credential default",
        "workspace default, workspace 7",
        "destination default@https://tuner.example.test",
        "route default@https://tuner.example.test, workspace 7, agent front-desk",
        "server https://tuner.example.test",
    ]


WORKS, FAILS, NOTHING = Lesson
HOLDS: dict[Scope, Hold] = {
    scope: Hold(scope, "any") for scope in Scope if scope is not Scope.SERVER
}
DOWN = TryAgain("timeout")
BROKEN = TryAgain("status_503", 30.0, 503)
BUSY = TryAgain("status_429", 1.0, 429)


@table("verdict", {"accepted": Accepted(), "refused": Refused(422, "no")})
def test_a_decision_about_a_call_says_that_all_works(verdict: Verdict) -> None:
    """The key, the host and the ids are right, and the server is there."""
    assert {lesson(scope, verdict) for scope in Scope} == {WORKS}


@table("scope", {str(scope): scope for scope in HOLDS})
def test_a_fault_of_ours_says_that_its_own_key_fails(scope: Scope) -> None:
    """And nothing of the others, except that a server which looked at a key or an id works."""
    taught = {it: lesson(it, HOLDS[scope]) for it in Scope}

    is_stranger = scope is Scope.DESTINATION
    assert taught == {
        **dict.fromkeys(Scope, NOTHING),
        scope: FAILS,
        Scope.SERVER: NOTHING if is_stranger else WORKS,
    }


@table(
    "verdict, of_server",
    {
        "no answer": (DOWN, FAILS),
        "5xx": (BROKEN, FAILS),
        "429": (BUSY, WORKS),
        "408": (TryAgain("status_408", None, 408), WORKS),
    },
)
def test_a_failure_says_something_of_the_server_alone(verdict: Verdict, of_server: Lesson) -> None:
    """A server that asks for patience is there."""
    taught = {scope: lesson(scope, verdict) for scope in Scope}

    assert taught == {**dict.fromkeys(Scope, NOTHING), Scope.SERVER: of_server}


def standing(scope: Scope = Scope.CREDENTIAL, stopped: set[Standing] | None = None) -> Standing:
    """Make the standing of a key that nothing is known of."""
    return Standing(Key(scope, "any"), set() if stopped is None else stopped)


def tried(scope: Scope = Scope.CREDENTIAL, stopped: set[Standing] | None = None) -> Standing:
    """Make one that is held, and whose first pause is over."""
    held = standing(scope, stopped)
    held.hold("any", 0.0)
    held.end_pause()
    return held


def turn(held: Standing) -> Turn:
    """Take a turn."""
    taken = held.take_turn()
    assert taken is not None
    return taken


def probe(held: Standing, learnt: Lesson, roll: float = 0.0) -> None:
    """Take a turn and end it."""
    held.end_turn(turn(held), learnt, "again", roll)


def test_at_first_everything_is_free() -> None:
    """Nothing was accepted yet, and nothing is held."""
    new = standing()

    assert (new.state, new.accepted, new.met, new.cause) == (State.FREE, 0, 0, "")
    assert (new.is_passable, new.is_probed, new.room) == (True, False, 0)
    assert new.take_turn() is None


def test_a_hold_begins_with_a_short_pause() -> None:
    """The fault may be over soon; then one record may try, and no other."""
    held = standing()

    assert held.hold("unauthorized", 0.0)
    assert (held.state, held.cause, held.pause) == (State.HELD, "unauthorized", OUR_FAULT.first)
    assert not held.is_passable
    held.end_pause()
    assert (held.is_passable, held.is_probed, held.room) == (True, True, 1)
    turn(held)
    assert (held.is_passable, held.is_probed, held.room) == (False, True, 0)


def test_a_probe_that_meets_the_fault_doubles_the_pause() -> None:
    """Up to a minute: nobody is asked more often than needed."""
    held = tried()

    pauses = []
    for _ in range(8):
        probe(held, FAILS)
        pauses.append(held.pause)
        held.end_pause()

    assert held.cause == "again"
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_a_server_that_is_down_is_left_alone_for_up_to_half_a_minute() -> None:
    """As long as chance says, at least half of it: many processes do not knock together."""
    for roll, expected in ((0.0, [2, 4, 8, 16, 30, 30]), (1.0, [1, 2, 4, 8, 15, 15])):
        held = standing(Scope.SERVER)
        held.hold("timeout", roll)
        pauses = [held.pause]
        for _ in range(5):
            held.end_pause()
            probe(held, FAILS, roll)
            pauses.append(held.pause)

        assert pauses == expected


def test_a_probe_that_taught_nothing_is_repeated() -> None:
    """After the same pause: neither better nor worse is known."""
    held = tried()

    probe(held, NOTHING)

    assert (held.state, held.pause) == (State.HELD, OUR_FAULT.first)


def test_a_fault_of_ours_is_over_with_one_that_passes() -> None:
    """A key that opens once opens for all."""
    held = tried()

    probe(held, WORKS)

    assert held.state is State.FREE


def test_after_an_outage_calls_come_back_in_steps() -> None:
    """One, two, four: each step as many at a time as have to pass for the next."""
    held = tried(Scope.SERVER)

    rooms = []
    while held.state is State.TRYING:
        rooms.append(held.room)
        turns = [turn(held) for _ in range(held.room)]
        assert not held.is_passable
        for each in turns:
            held.end_turn(each, WORKS, "", 0.0)

    assert rooms == [1, 2, 4, 8, 16, 32]
    assert held.state is State.FREE


def test_on_the_way_back_a_few_failures_are_forgiven() -> None:
    """A server that fails now and then is not down; so many in a row say that it is."""
    held = tried(Scope.SERVER)
    for _ in range(3):
        probe(held, WORKS)
    assert held.room == 4
    for _ in range(MOST_FAILURES - 1):
        probe(held, FAILS)
    probe(held, NOTHING)
    probe(held, WORKS)
    for _ in range(MOST_FAILURES - 1):
        probe(held, FAILS)
    assert (held.state, held.room) == (State.TRYING, 4)

    probe(held, FAILS)

    assert (held.state, held.pause) == (State.HELD, OUTAGE.first)


def test_a_turn_of_an_earlier_trial_changes_nothing() -> None:
    """Whoever was still under way when it was held again has nothing to say of what is now."""
    held = tried(Scope.SERVER)
    probe(held, WORKS)
    late = turn(held)
    for _ in range(MOST_FAILURES):
        probe(held, FAILS)
    assert not late.is_on

    held.end_turn(late, WORKS, "", 0.0)
    assert held.state is State.HELD
    held.end_pause()
    held.end_turn(late, WORKS, "", 0.0)

    assert (held.state, held.room, late.is_on) == (State.TRYING, 1, False)


def test_a_rest_that_tuner_asked_for_ends_by_itself() -> None:
    """No probe is needed: it said when to come again."""
    resting = standing()

    assert resting.rest(7.0)
    assert (resting.state, resting.pause) == (State.RESTING, 7.0)
    resting.end_pause()
    assert resting.state is State.FREE


@table("state", {state.name.lower(): state for state in State if state is not State.FREE})
def test_what_is_stopped_is_not_stopped_again(state: State) -> None:
    """Late answers of calls that were under way change nothing."""
    stopped = standing()
    stopped.cause, stopped.pause, stopped.state = "unauthorized", 8.0, state

    assert not stopped.hold("forbidden", 0.0)
    assert not stopped.rest(3.0)
    assert (stopped.cause, stopped.pause, stopped.state) == ("unauthorized", 8.0, state)


def test_a_later_hold_begins_anew() -> None:
    """What was learnt of an old fault says nothing of the next."""
    held = tried()
    probe(held, FAILS)
    held.end_pause()
    probe(held, WORKS)

    held.hold("status_405", 0.0)

    assert (held.cause, held.pause) == ("status_405", OUR_FAULT.first)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "rest", "pause", "enter", "enter", *Lesson]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 7),
    ),
    max_size=80,
)


@given(st.sampled_from([Scope.CREDENTIAL, Scope.SERVER]), STEPS)
def test_pauses_and_turns_stay_within_bounds(
    scope: Scope, steps: list[tuple[str | Lesson, float, int]]
) -> None:
    """Whatever happens to it, and in whatever order: there is one probe at a time, and never a
    burst.
    """
    stopped: set[Standing] = set()
    held, manner = tried(scope, stopped), OUTAGE if scope is Scope.SERVER else OUR_FAULT
    turns: list[Turn] = []
    for step, roll, which in steps:
        match step:
            case "hold":
                held.hold("forbidden", roll)
            case "rest":
                held.rest(300.0)
            case "pause" if held.state in (State.HELD, State.RESTING):
                held.end_pause()
            case "enter" if held.room:
                turns.append(turn(held))
            case Lesson() if turns:
                held.end_turn(turns.pop(which % len(turns)), step, "again", roll)
            case _:
                continue

        valid = [it for it in turns if it.is_on]
        assert 0 <= held.room <= manner.steps
        assert len(valid) <= (1 if held.is_probed else manner.steps)
        assert (held in stopped) is (held.state is not State.FREE)
        if held.state is State.HELD:
            assert manner.first * (1 - manner.jitter) <= held.pause <= manner.longest
