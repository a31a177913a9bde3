"""The attempts at one call, and which of its failures count."""

from builders import answered
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.effort import Effort
from ingestor.core.outcome import Tries

CREDENTIAL, DESTINATION = 0, 1


def test_an_effort_that_has_not_begun_has_no_attempts() -> None:
    """Nothing is known of a call yet."""
    effort = Effort()

    assert (effort.count, effort.failures, effort.is_unclear) == (0, 0, False)
    assert effort.tries == Tries(0, None, None)


def test_attempts_are_summed_up() -> None:
    """How many, and when the first and the last began."""
    effort = Effort()

    for now in (10.0, 20.0, 35.0):
        effort.begin(now, (0, 0))

    assert effort.tries == Tries(3, 10.0, 35.0)


def test_a_failure_counts_when_others_passed() -> None:
    """Then the fault is the call's own."""
    effort = Effort()
    effort.begin(1.0, (0, 4))

    assert effort.fail((0, 5), DESTINATION) is True
    assert effort.failures == 1


def test_a_failure_does_not_count_in_an_outage() -> None:
    """When nothing is accepted, the fault is nobody's."""
    effort = Effort()
    for now in range(100):
        effort.begin(float(now), (0, 4))
        assert effort.fail((0, 4), DESTINATION) is False

    assert effort.failures == 0


def test_only_what_shares_the_key_is_a_witness() -> None:
    """That a credential works elsewhere says nothing of this destination."""
    effort = Effort()
    effort.begin(1.0, (0, 0))

    assert effort.fail((7, 0), DESTINATION) is False


def test_a_witness_counts_once() -> None:
    """One call that was accepted speaks against one failure."""
    effort = Effort()
    effort.begin(1.0, (0, 0))
    counted = [effort.fail((0, 1), DESTINATION), effort.fail((0, 1), DESTINATION)]
    effort.begin(2.0, (0, 2))

    assert [*counted, effort.fail((0, 2), DESTINATION)] == [True, False, True]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=20))
def test_failures_are_never_more_than_witnesses(passed: list[tuple[int, int]]) -> None:
    """Nor more than attempts."""
    effort = Effort()
    accepted = [0, 0]
    for number, (under_credential, under_destination) in enumerate(passed):
        effort.begin(float(number), (accepted[0], accepted[1]))
        accepted[CREDENTIAL] += under_credential
        accepted[DESTINATION] += under_destination
        effort.fail((accepted[0], accepted[1]), DESTINATION)

    assert effort.failures == accepted[DESTINATION] <= effort.count


UNSENT = {Fault.CONNECT, Fault.TLS, Fault.UNKNOWN_HOST}


@table(
    "answer, is_unclear",
    {str(fault): (Unanswered(fault), fault not in UNSENT) for fault in Fault}
    | {
        "accepted": (answered(201), False),
        "refused": (answered(422), False),
        "too many": (answered(429), False),
        "took too long to send": (answered(408), False),
        "the first error of a server": (answered(500), True),
        "a gateway that gave up": (answered(504), True),
        "the last": (answered(599), True),
        "beyond": (answered(600), False),
    },
)
def test_an_answer_may_leave_open_what_became_of_the_call(
    answer: Answer, *, is_unclear: bool
) -> None:
    """A request that reached a server may have been stored before it failed."""
    effort = Effort()

    effort.note(answer)

    assert effort.is_unclear is is_unclear


def test_what_was_once_unclear_stays_so() -> None:
    """A refused connection afterwards does not say what became of the first attempt."""
    effort = Effort()

    for answer in (Unanswered(Fault.TIMEOUT), Unanswered(Fault.CONNECT), answered(429)):
        effort.note(answer)

    assert effort.is_unclear
