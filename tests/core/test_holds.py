"""How long our own fault keeps calls waiting."""

from builders import destination, route
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.holds import FIRST_PAUSE, LONGEST_PAUSE, Key, Standing, State, key
from ingestor.core.route import Route
from ingestor.core.verdict import Scope

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
    ]


def standing() -> Standing:
    return Standing(Key(Scope.CREDENTIAL, "default"))


def test_at_first_everything_is_free() -> None:
    """Nothing was accepted yet, and nothing is held."""
    new = standing()

    assert new.key == Key(Scope.CREDENTIAL, "default")
    assert (new.state, new.accepted, new.cause, new.pause) == (State.FREE, 0, "", 0.0)


def test_a_hold_begins_with_a_short_pause() -> None:
    """The fault may be over soon; then one record may try."""
    held = standing()

    assert held.hold("unauthorized")
    assert (held.state, held.cause, held.pause) == (State.HELD, "unauthorized", FIRST_PAUSE)
    held.end_pause()
    assert held.state is State.READY


def test_a_probe_that_meets_the_fault_doubles_the_pause() -> None:
    """Up to a minute: nobody is asked more often than needed."""
    held = standing()
    held.hold("unauthorized")

    pauses = []
    for _ in range(8):
        held.end_pause()
        held.state = State.PROBED
        held.fail("forbidden")
        pauses.append(held.pause)

    assert (held.state, held.cause) == (State.HELD, "forbidden")
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_a_probe_that_taught_nothing_is_repeated() -> None:
    """After the same pause: neither better nor worse is known."""
    held = standing()
    held.hold("unauthorized")
    held.end_pause()
    held.state = State.PROBED

    held.repeat()

    assert (held.state, held.pause) == (State.HELD, FIRST_PAUSE)


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

    assert not stopped.hold("forbidden")
    assert not stopped.rest(3.0)
    assert (stopped.cause, stopped.pause, stopped.state) == ("unauthorized", 8.0, state)


def test_a_later_hold_begins_anew() -> None:
    """What was learnt of an old fault says nothing of the next."""
    held = standing()
    held.hold("unauthorized")
    held.fail("unauthorized")
    held.state = State.FREE

    held.hold("status_405")

    assert (held.cause, held.pause) == ("status_405", FIRST_PAUSE)


@given(st.lists(st.sampled_from(["hold", "rest", "end", "fail", "repeat"])))
def test_a_hold_pauses_between_a_second_and_a_minute(steps: list[str]) -> None:
    """Whatever happens to it, and in whatever order."""
    held = standing()
    held.hold("unauthorized")
    for step in steps:
        match step:
            case "hold":
                held.hold("forbidden")
            case "rest":
                held.rest(300.0)
            case "end" if held.state is State.HELD:
                held.end_pause()
            case "fail" if held.state is State.READY:
                held.fail("forbidden")
            case "repeat" if held.state is State.READY:
                held.repeat()
            case _:
                continue

        assert held.state in (State.HELD, State.READY)
        assert FIRST_PAUSE <= held.pause <= LONGEST_PAUSE
