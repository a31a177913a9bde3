"""What somebody should do about a hold."""

from builders import answered, circumstances
from core.tables import table

from ingestor.core.answer import Answer, Fault, Unanswered
from ingestor.core.judgement import judge
from ingestor.core.remedies import remedy
from ingestor.core.verdict import Hold

PAGE = b"<html>"
ANSWERS: list[Answer] = [
    Unanswered(Fault.TLS),
    Unanswered(Fault.UNKNOWN_HOST),
    answered(200, PAGE),
    *(answered(status, b"") for status in range(100, 600)),
]


def causes() -> set[str]:
    """Collect every cause that a hold can have."""
    unproven = circumstances(is_proven=False)
    verdicts = (judge(answer, unproven) for answer in ANSWERS)
    return {verdict.cause for verdict in verdicts if isinstance(verdict, Hold)}


@table(
    "cause, word",
    {
        "a wrong key": ("unauthorized", "key"),
        "a foreign workspace": ("forbidden", "workspace"),
        "a wrong id": ("unknown_route", "agent"),
        "a page": ("not_tuner", "base URL"),
        "no trust": ("tls", "certificate"),
        "no address": ("unknown_host", "host name"),
        "a redirect": ("status_308", "redirects"),
        "payment": ("status_402", "payment"),
        "a proxy": ("status_407", "proxy"),
        "another method": ("status_405", "base URL"),
    },
)
def test_each_cause_has_its_remedy(cause: str, word: str) -> None:
    """It names what to look at."""
    assert cause in causes()
    assert word in remedy(cause)


def test_every_remedy_is_one_sentence() -> None:
    """A log line and readiness show it; whatever the cause, it says something."""
    for cause in causes():
        said = remedy(cause)
        assert said.endswith(".")
        assert ". " not in said


def test_nobody_has_to_do_anything_about_an_outage() -> None:
    """Whatever it began with."""
    assert remedy("status_503", is_outage=True) == remedy("timeout", is_outage=True)
    assert "nothing to do" in remedy("timeout", is_outage=True)
