"""An empty call tells whether a key is accepted, whatever Tuner answers."""

import pytest

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.core.finding import Finding, read_key_probe


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (Answered(422), "the key is accepted (422 to an empty call)"),
        (Answered(400), "the key is accepted (400 to an empty call)"),
    ],
)
def test_a_complaint_about_the_fields_means_that_the_key_was_accepted(
    answer: Answer, how: str
) -> None:
    """Tuner looks at the key first."""
    assert read_key_probe("Tuner", answer) == Finding("Tuner", is_good=True, how=how)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (Answered(401), "the key is not accepted (401)"),
        (Answered(403), "the key is not accepted, or not for this workspace (403)"),
        (Answered(404), "no such agent or workspace, or not Tuner's address (404)"),
        (Answered(307), "redirects (307), which is never followed: use the address it points to"),
        (Answered(200), "answers 200 to an empty call: is it Tuner?"),
        (Answered(503), "answers 503 to an empty call: is it Tuner?"),
        (Unanswered(Fault.TLS), "no answer: tls"),
    ],
)
def test_everything_else_means_that_the_service_could_not_deliver(answer: Answer, how: str) -> None:
    """What to look at is said."""
    assert read_key_probe("Tuner", answer) == Finding("Tuner", is_good=False, how=how)
