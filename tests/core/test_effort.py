"""The attempts at one call, and which of its failures count."""

from builders import answered
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.effort import Effort
from ingestor.core.holds import Key, Standing
from ingestor.core.outcome import Tries
from ingestor.core.verdict import Hold, Scope, TryAgain, Verdict

KEY = Key(Scope.DESTINATION, "any")
BROKEN = TryAgain("status_500", None, 500)
BUSY = TryAgain("status_429", 1.0, 429)
UNAUTHORIZED = Hold(Scope.CREDENTIAL, "unauthorized", 401)
OWN = TryAgain("unauthorized", None, 401)
FAILURES: dict[str, TryAgain | Hold] = {"5xx": BROKEN, "429": BUSY, "hold": UNAUTHORIZED}


class Story:
    """One call, and what becomes of others under the same key."""

    def __init__(self) -> None:
        self.effort = Effort()
        self.under = Standing(KEY, set())
        self.answers = 0

    def accept(self) -> None:
        """Have another call accepted."""
        self.answers += 1
        self.under.accepted = self.answers

    def meet(self) -> None:
        """Have another call meet the same fault."""
        self.answers += 1
        self.under.met = self.answers

    def begin(self) -> None:
        """Begin an attempt."""
        self.effort.begin(float(self.answers), self.answers)

    def fail(self, verdict: TryAgain | Hold = BROKEN, *, is_sound: bool = True) -> Verdict:
        """Have an attempt meet *verdict*."""
        self.answers += 1
        meaning = self.effort.weigh(verdict, self.under, is_sound=is_sound)
        self.under.met = self.answers
        self.effort.fail(self.answers)
        return meaning


def test_an_effort_that_has_not_begun_has_no_attempts() -> None:
    """Nothing is known of a call yet."""
    effort = Effort()

    assert (effort.count, effort.failures, effort.is_unclear) == (0, 0, False)
    assert effort.tries == Tries(0, None, None)


def test_attempts_are_summed_up() -> None:
    """How many, and when the first and the last began."""
    effort = Effort()

    for now in (10.0, 20.0, 35.0):
        effort.begin(now, 0)

    assert effort.tries == Tries(3, 10.0, 35.0)


@table("verdict", FAILURES)
def test_a_failure_counts_when_others_passed(verdict: TryAgain | Hold) -> None:
    """Then the fault is the call's own, and nobody else has to wait for it."""
    story = Story()
    story.begin()
    story.accept()

    meaning = story.fail(verdict)

    assert meaning == (OWN if isinstance(verdict, Hold) else verdict)
    assert story.effort.failures == 1


@table("verdict", FAILURES)
def test_a_failure_does_not_count_in_an_outage(verdict: TryAgain | Hold) -> None:
    """When nothing is accepted, the fault is nobody's."""
    story = Story()
    story.accept()
    for _ in range(100):
        story.begin()
        assert story.fail(verdict) is verdict

    assert story.effort.failures == 0


def test_a_failure_does_not_count_while_the_server_fails_most() -> None:
    """That one of three was accepted does not make it the fault of the other two."""
    story = Story()
    story.begin()
    story.accept()

    story.fail(BROKEN, is_sound=False)

    assert story.effort.failures == 0


@table("verdict", {"429": BUSY, "hold": UNAUTHORIZED})
def test_what_hardly_ever_is_one_calls_doing_does_not_count_while_others_meet_it(
    verdict: TryAgain | Hold,
) -> None:
    """With a limit that lets every second call pass, or a key that half of a cluster knows, a few
    of many would be unlucky until their budget is spent.
    """
    story = Story()
    for _ in range(20):
        story.begin()
        story.accept()
        story.meet()
        assert isinstance(story.fail(verdict), TryAgain), "others pass: it is no hold"

    assert story.effort.failures == 0


@table("verdict", {"429": BUSY, "hold": UNAUTHORIZED})
def test_what_only_one_call_meets_counts_whoever_was_answered(verdict: TryAgain | Hold) -> None:
    """Its own failures are no witnesses for it; nor need the server be sound."""
    story = Story()
    for _ in range(3):
        story.begin()
        story.accept()
        story.fail(verdict, is_sound=False)

    assert story.effort.failures == 3


def test_a_witness_counts_once() -> None:
    """One call that was accepted speaks against one failure."""
    story = Story()
    counted = []
    for passes in (True, False, True):
        story.begin()
        if passes:
            story.accept()
        story.fail()
        counted.append(story.effort.failures)

    assert counted == [1, 1, 2]


def test_what_was_accepted_before_the_first_attempt_is_no_witness() -> None:
    """It says nothing of what is now."""
    story = Story()
    story.accept()
    story.begin()

    story.fail()

    assert story.effort.failures == 0


def test_what_was_accepted_between_two_attempts_is_a_witness() -> None:
    """Then the server worked after this call had failed."""
    story = Story()
    story.begin()
    story.fail()
    story.accept()
    story.begin()

    story.fail()

    assert story.effort.failures == 1


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.sampled_from(list(FAILURES)), st.booleans()),
        max_size=20,
    )
)
def test_failures_are_never_more_than_witnesses(
    steps: list[tuple[bool, bool, str, bool]],
) -> None:
    """Nor more than attempts."""
    story, witnesses = Story(), 0
    for passes, meets, kind, is_sound in steps:
        story.begin()
        if meets:
            story.meet()
        if passes:
            story.accept()
            witnesses += 1
        story.fail(FAILURES[kind], is_sound=is_sound)

    assert story.effort.failures <= witnesses <= story.effort.count


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
        "the answer to a second request": (answered(429, is_repeat=True), True),
        "no answer to a second request": (Unanswered(Fault.CONNECT, is_repeat=True), True),
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


def test_a_request_that_the_wire_repeats_counts_twice() -> None:
    """Tuner may have heard both."""
    effort = Effort()
    effort.begin(1.0, 0)

    effort.note(answered(201, is_repeat=True))

    assert effort.tries == Tries(2, 1.0, 1.0)
