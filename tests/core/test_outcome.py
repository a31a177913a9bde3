"""How a record ends."""

from ingestor.core.outcome import Dead, Delivered, Duplicate, Ignored, Reason, Tries

REASONS = "malformed invalid too_large no_route refused exhausted unreadable skipped internal"


def test_reasons_are_a_closed_set_of_words() -> None:
    """The letter's header, the metric's label and the documents have the same nine."""
    assert [str(reason) for reason in Reason] == REASONS.split()


def test_an_outcome_without_an_attempt_has_no_instants() -> None:
    """What died before it was posted never says when it was posted."""
    assert Dead(Reason.INVALID, "call_id: is required").tries == Tries(0, None, None)


def test_outcomes_are_told_apart_by_their_type() -> None:
    """Delivered and duplicate carry the same, and are not the same."""
    outcomes = [Delivered(Tries(1)), Duplicate(Tries(1)), Ignored("tombstone")]

    assert len(set(outcomes)) == 3
