"""Rules in JSON."""

import json

import pytest
from pydantic import ValidationError

from ingestor.devkit.fake_tuner import (
    Delay,
    Dice,
    Drip,
    Redirect,
    Refuse,
    Reply,
    Reset,
    Script,
    Serve,
    Truncate,
    Unusable,
    Window,
    read_rules,
)
from ingestor.devkit.fake_tuner.fault_file import write_rules

RULES = (
    Script(
        call_id="orders-*",
        each_call=True,
        answers=(
            Reply(429, retry_after=2),
            Reply(503, body="html", retry_after="soon", after_commit=True),
            Reply(200, content='{"success": true}', retry_after_date=5),
            Reset(after_commit=True),
            Delay(3, answer=Truncate(answer=Serve())),
            Drip(1.5, answer=Reply(503)),
            Redirect("https://elsewhere.example.com/", status=308),
        ),
    ),
    Dice(share=0.1, seed=7, fault=Reset(), workspace_id=3),
    Window(after=10, seconds=5, fault=Reply(401), key="revoked", agent="a*"),
    Refuse(after=1, seconds=2),
)


def test_rules_read_as_they_were_written() -> None:
    """Every kind of rule and fault survives the way through JSON."""
    assert read_rules(json.dumps(write_rules(RULES))) == RULES


def test_defaults_may_be_left_out() -> None:
    """A rule is as short as it can be."""
    text = b'[{"kind": "script", "answers": [{"kind": "reply", "status": 503}]}]'

    assert read_rules(text) == (Script(answers=(Reply(503),)),)


SCRIPT = '[{"kind": "script", "answers": [{"kind": "serve"}, %s]}]'


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ("line 1, column 1: Expecting value",)),
        ('[\n {"kind": }]', ("line 2, column 11: Expecting value",)),
        (b"\xff", ("line 1, column 1: not JSON text",)),
        ("[" * 100_000, ("line 1, column 1: not JSON text",)),
        ("{}", ("rules: Input should be a valid tuple",)),
        ("[5]", ("rules[0]: Input should be a valid dictionary",)),
        ('[{"kind": "nap"}]', ("rules[0]: Input tag 'nap' found using 'kind'",)),
        ('[{"share": 1}]', ("rules[0]: Unable to extract tag using discriminator 'kind'",)),
        ('[{"kind": "refuse"}]', ("rules[0].seconds: Field required",)),
        ('[{"kind": "refuse", "seconds": -1}]', ("rules[0].seconds: Input should be greater",)),
        (
            '[{"kind": "refuse", "seconds": NaN}]',
            ("rules[0].seconds: Input should be a finite number",),
        ),
        (
            '[{"kind": "refuse", "seconds": 1, "secs": 1}]',
            ("rules[0].secs: Unexpected keyword argument",),
        ),
        (
            SCRIPT % '{"kind": "reply", "status": 99}',
            ("rules[0].answers[1].status: Input should be greater than or equal to 200",),
        ),
        (
            SCRIPT % '{"kind": "delay", "seconds": 1, "answer": {"kind": "redirect"}}',
            ("rules[0].answers[1].answer.location: Field required",),
        ),
        (
            SCRIPT % '{"kind": "reply", "status": 503, "retry_after": -1}',
            (
                "rules[0].answers[1].retry_after: Input should be greater than or equal to 0",
                "rules[0].answers[1].retry_after: Input should be a valid string",
            ),
        ),
        (
            SCRIPT % '{"kind": "redirect", "location": "a\\r\\nb"}',
            ("rules[0].answers[1].location: String should match pattern",),
        ),
        (
            SCRIPT % '{"kind": "reply", "status": 503, "retry_after": 1, "retry_after_date": 1}',
            ("rules[0].answers[1]: Value error, retry_after and retry_after_date exclude",),
        ),
        (
            '[{"kind": "window", "seconds": "x"}, {"kind": "dice", "share": 2, "fault": {}}]',
            (
                "rules[0].fault: Field required",
                "rules[0].seconds: Input should be a valid number",
                "rules[1].share: Input should be less than or equal to 1",
                "rules[1].fault: Unable to extract tag",
            ),
        ),
    ],
)
def test_every_problem_is_named_by_its_place(text: str | bytes, problems: tuple[str, ...]) -> None:
    """A mistake is told with the path to it as the writer would spell it, all at once."""
    read = read_rules(text)

    assert isinstance(read, Unusable)
    assert len(read.problems) == len(problems)
    for found, expected in zip(read.problems, problems, strict=True):
        assert found.startswith(expected)


def test_code_cannot_make_what_a_file_cannot_say() -> None:
    """The rules of the file hold for rules made in code, too."""
    with pytest.raises(ValidationError, match="Reply"):
        Reply(99)
