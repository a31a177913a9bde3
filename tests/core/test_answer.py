"""What came back from one attempt."""

from ingestor.core.answer import Answered, Fault, Unanswered


def test_an_answer_is_whole_and_empty_unless_told() -> None:
    """A status alone is an answer."""
    assert Answered(204) == Answered(204, b"", None, is_whole=True)


def test_a_fault_is_its_own_word() -> None:
    """Logs and metrics write faults as they are: short words, none twice."""
    words = [str(fault) for fault in Fault]

    assert Unanswered(Fault.CUT_OFF) != Unanswered(Fault.TIMEOUT)
    assert words == [fault.name.lower() for fault in Fault]
