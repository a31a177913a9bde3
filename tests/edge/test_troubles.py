"""What goes wrong with a client is told once, and counted as long as it goes on."""

from ingestor.edge.troubles import FAILURES_SECONDS, MOST_FAILURES, Troubles


class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def changed(self, event: str, **facts: object) -> None:
        self.events.append((event, facts["cause"]))


def test_what_lasts_is_told_once() -> None:
    """A topic that is missing for a day is one line."""
    told = Told()
    troubles = Troubles(told)

    for cause in ["NoTopic", "NoTopic", "NoBroker", "NoTopic"]:
        troubles.tell("waiting_for_kafka", cause)

    assert [cause for _, cause in told.events] == ["NoTopic", "NoBroker", "NoTopic"]


def test_a_client_that_fails_again_and_again_is_lost() -> None:
    """The third failure in a row is one too many, and the count begins anew."""
    troubles = Troubles(Told())

    verdicts = [troubles.fail("Error", now) for now in range(2 * MOST_FAILURES)]

    assert verdicts == [False, False, True] * 2


def test_failures_far_apart_are_each_the_first() -> None:
    """A client that recovers by itself is kept, and each trouble is told."""
    told = Told()
    troubles = Troubles(told)

    assert not any(troubles.fail("Error", n * (FAILURES_SECONDS + 1)) for n in range(5))
    assert told.events == [("kafka_failed", "Error")] * 5


def test_after_an_end_the_count_begins_anew() -> None:
    """A new assignment shows that it works."""
    troubles = Troubles(Told())
    for now in range(MOST_FAILURES - 1):
        troubles.fail("Error", now)

    troubles.end()

    assert not troubles.fail("Error", MOST_FAILURES)
