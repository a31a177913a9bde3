"""What an answer of Tuner means."""

import pytest
from builders import answered, circumstances
from core.tables import table

from ingestor.core.answer import Answered, Fault, Unanswered
from ingestor.core.judgement import BREATH, STRANGE, judge, read_reply
from ingestor.core.problem import MOST, Problem
from ingestor.core.retry_after import LONGEST
from ingestor.core.verdict import (
    Accepted,
    Circumstances,
    Hold,
    Refused,
    Scope,
    TryAgain,
    Verdict,
)

FIRST = circumstances()
PAGE = b"<html><body>Welcome</body></html>"

# The table of verdicts as it is published, row by row, for an empty or a JSON body.
SUCCESS = [*range(200, 300)]
TRY_AGAIN = [408, 425, *[status for status in range(500, 600) if status not in (501, 505)]]
MISCONFIGURED = [*range(300, 400), 402, 405, 407, 415, 421, 426, 501, 505]
NO_ANSWER = [*range(100, 200)]
REFUSED = [400, 404, 406, *range(410, 415), 416, 417, 418, 419, 420, 422, 423, 424, 427, 428]
REFUSED += range(430, 500)
ROWS: list[tuple[int, Verdict]] = [
    *((status, Accepted()) for status in SUCCESS),
    (409, Accepted(is_duplicate=True)),
    *((status, TryAgain(f"status_{status}", None, status)) for status in TRY_AGAIN),
    (429, TryAgain("status_429", BREATH, 429)),
    (401, Hold(Scope.CREDENTIAL, "unauthorized", 401)),
    (403, Hold(Scope.WORKSPACE, "forbidden", 403)),
    *(
        (status, Hold(Scope.DESTINATION, f"status_{status}", status))
        for status in MISCONFIGURED + NO_ANSWER
    ),
    *((status, Refused(status, f"Tuner answered {status}")) for status in REFUSED),
]
TUNERS_OWN_WORD = {*SUCCESS, 404, 405, 409}


@table("body", {"empty": b"", "an object": b"{}", "a detail": b'{"detail": "Mr. Smith"}'})
def test_every_status_means_one_thing(body: bytes) -> None:
    """No status is in two rows, and none is in no row."""
    assert sorted(status for status, _ in ROWS) == list(range(100, 600))
    assert {status: judge(answered(status, body), FIRST) for status, _ in ROWS} == dict(ROWS)


def test_a_page_is_not_tuners_word() -> None:
    """An ingress page or a captive proxy would pass for an acceptance; other statuses stand."""
    expected = {
        status: Hold(Scope.DESTINATION, "not_tuner", status)
        if status in TUNERS_OWN_WORD
        else verdict
        for status, verdict in ROWS
    }

    assert {status: judge(answered(status, PAGE), FIRST) for status, _ in ROWS} == expected


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_what_is_no_status_is_not_tuner(status: int) -> None:
    """Nothing is settled by it."""
    assert judge(answered(status, b""), FIRST) == Hold(
        Scope.DESTINATION, f"status_{status}", status
    )


@table(
    "fault, verdict",
    {
        "no connection": (Fault.CONNECT, TryAgain("connect")),
        "too late": (Fault.TIMEOUT, TryAgain("timeout")),
        "hung up": (Fault.DISCONNECTED, TryAgain("disconnected")),
        "cut off, whatever the status was": (Fault.CUT_OFF, TryAgain("cut_off")),
        "no HTTP": (Fault.NOT_HTTP, TryAgain("not_http")),
        "TLS": (Fault.TLS, Hold(Scope.DESTINATION, "tls")),
        "an unknown host": (Fault.UNKNOWN_HOST, Hold(Scope.DESTINATION, "unknown_host")),
    },
)
def test_no_answer_is_tried_again_unless_the_address_is_wrong(
    fault: Fault, verdict: Verdict
) -> None:
    """A wrong host name will be wrong for the next call too."""
    assert judge(Unanswered(fault), FIRST) == verdict


@table(
    "body, is_whole, expected",
    {
        "empty": (b"", True, True),
        "spaces": (b" \r\n", True, True),
        "an object": (b' {"id": 1}\n', True, True),
        "an array": (b"[]", True, True),
        "a text": (b'"ok"', True, True),
        "null": (b"null", True, True),
        "a page": (PAGE, True, False),
        "a word": (b"OK", True, False),
        "half an object": (b'{"id": ', True, False),
        "two objects": (b"{}{}", True, False),
        "bytes": (b"\xff\xfe", True, False),
        "an object with bytes that are no text": (b'{"a": "\xff"}', True, False),
        "brackets without end": (b"[" * 100_000, True, False),
        "the begin of an object": (b' {"id": ', False, True),
        "the begin of an array": (b"[", False, True),
        "the begin of a page": (PAGE[:20], False, False),
    },
)
def test_tuner_speaks_json_or_nothing(body: bytes, *, is_whole: bool, expected: bool) -> None:
    """Of a body of which only the begin was kept, the begin decides."""
    answer = Answered(200, body, is_whole=is_whole)

    assert (read_reply(answer) is not STRANGE) is expected
    assert isinstance(judge(answer, FIRST), Accepted if expected else Hold)


@table(
    "begin",
    {
        "an object": b'{"is_new": false, "a": ',
        "brackets": b"[" * 100_000,
        "bytes that are no text": b'{"is_new": "\xff", ',
    },
)
def test_of_an_answer_that_was_cut_nothing_is_read(begin: bytes) -> None:
    """That it is an acceptance its status says."""
    assert judge(Answered(201, begin, is_whole=False), FIRST) == Accepted()


def test_circumstances_are_those_of_a_first_attempt_unless_told() -> None:
    """On a route that works."""
    assert Circumstances(5.0) == Circumstances(5.0, is_unclear=False, is_proven=True)


@table(
    "body, is_duplicate",
    {
        "true": ({"is_new": True}, False),
        "false": ({"is_new": False}, True),
        "false among others": ({"id": "x", "is_new": False, "a": [{}]}, True),
        "false in a string": ({"is_new": "false"}, False),
        "zero": ({"is_new": 0}, False),
        "null": ({"is_new": None}, False),
        "not said": ({"success": True, "callId": "c"}, False),
        "an array": ([{"is_new": False}], False),
        "a text": ("is_new", False),
        "nothing": (b"", False),
    },
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_call_that_is_not_new_is_a_duplicate(
    status: int, body: object, *, is_duplicate: bool
) -> None:
    """Only when Tuner says exactly that; anything else it says is advice."""
    assert judge(answered(status, body), FIRST) == Accepted(is_duplicate=is_duplicate)


@table(
    "answer",
    {
        "not new": answered(200, {"is_new": False}),
        "conflict": answered(409, {"detail": "exists"}),
        "conflict without a body": answered(409, b""),
    },
)
def test_a_duplicate_of_our_own_is_a_delivery(answer: Answered) -> None:
    """When an earlier attempt went unanswered, it was that one which Tuner stored."""
    assert judge(answer, circumstances(is_unclear=True)) == Accepted(is_duplicate=False)
    assert judge(answer, circumstances(is_unclear=False)) == Accepted(is_duplicate=True)


def test_a_second_request_may_meet_the_first() -> None:
    """The wire repeats what a connection swallowed: Tuner may have stored it all the same."""
    for status, body in ((200, {"is_new": False}), (409, b"")):
        answer = answered(status, body, is_repeat=True)

        assert judge(answer, FIRST) == Accepted(is_duplicate=False)


def test_an_unknown_agent_may_be_our_own_fault() -> None:
    """An id from the settings that never worked stops its route; one that did, or that the event
    named, does not.
    """
    unknown = answered(404, {"detail": "no such agent"})

    assert judge(unknown, circumstances(is_proven=False)) == Hold(Scope.ROUTE, "unknown_route", 404)
    assert judge(unknown, circumstances(is_proven=True)) == Refused(404, "Tuner answered 404")
    assert judge(answered(404, b""), circumstances(is_proven=False)) == Hold(
        Scope.ROUTE, "unknown_route", 404
    )


@table(
    "status, retry_after, pause",
    {
        "seconds": (429, "2", 2.0),
        "nothing said": (429, None, BREATH),
        "garbage": (429, "soon", BREATH),
        "no time at all": (429, "0", 0.0),
        "an hour": (429, "3600", LONGEST),
        "a date": (429, "Wed, 10 Jun 2026 16:14:52 GMT", 30.0),
        "an overloaded server": (503, "7", 7.0),
        "one that says nothing": (503, None, None),
        "a slow request": (408, "3", 3.0),
        "too early": (425, "4", 4.0),
    },
)
def test_tuner_may_say_for_how_long_to_leave_it_alone(
    status: int, retry_after: str | None, pause: float | None
) -> None:
    """Too many requests is a wish to be left alone even when it does not say for how long."""
    now = circumstances(now=1_781_108_062.0)

    assert judge(answered(status, PAGE, retry_after=retry_after), now) == TryAgain(
        f"status_{status}", pause, status
    )


def refusal(detail: object) -> Refused:
    verdict = judge(answered(422, {"detail": detail}), FIRST)
    assert isinstance(verdict, Refused)
    return verdict


ROW = ["body", "transcript_with_tool_calls", 3]


@table(
    "item, problem",
    {
        "a missing field": (
            {"type": "missing", "loc": ["body", "call_id"], "msg": "m", "input": {"a": "b"}},
            "call_id: missing",
        ),
        "a row": (
            {"type": "value_error", "loc": ROW},
            "transcript_with_tool_calls[3]: value_error",
        ),
        "a field of a row": (
            {"type": "literal_error", "loc": [*ROW, "role"]},
            "transcript_with_tool_calls[3].role: literal_error",
        ),
        "the query": (
            {"type": "int_parsing", "loc": ["query", "workspace_id"]},
            "query.workspace_id: int_parsing",
        ),
        "the whole body": ({"type": "missing", "loc": ["body"]}, "missing"),
        "a place in broken JSON": (
            {"type": "json_invalid", "loc": ["body", 17]},
            "[17]: json_invalid",
        ),
        "an own validator's type": ({"type": "call.too_old", "loc": ["body"]}, "call.too_old"),
        "no type": ({"loc": ["body", "a"]}, "a: refused"),
        "a type that is no word": ({"type": "Mr. Smith", "loc": ["body", "a"]}, "a: refused"),
        "a type that is too long": ({"type": "a" * 65, "loc": ["body", "a"]}, "a: refused"),
        "a type of another type": ({"type": ["missing"], "loc": ["body", "a"]}, "a: refused"),
        "no place": ({"type": "missing"}, "missing"),
        "a place of another type": ({"type": "missing", "loc": "body"}, "missing"),
        "steps of other types": (
            {"type": "missing", "loc": ["body", None, 1.5, True, {"a": 1}, ["b"], "c"]},
            "c: missing",
        ),
        "a number that is no place": (
            {"type": "missing", "loc": ["body", 15_550_100_000, -3, "c"]},
            "c: missing",
        ),
        "a key that is private": (
            {"type": "missing", "loc": ["body", "metadata", "+15550100"]},
            "metadata.(key): missing",
        ),
    },
)
def test_a_refusal_tells_types_and_places(item: dict[str, object], problem: str) -> None:
    """Never the message, nor the input that the server echoes: it may be the whole call."""
    refused = refusal([item])

    assert refused.message == f"Tuner answered 422: {problem}"
    assert [str(error) for error in refused.errors] == [problem]


@table(
    "body",
    {
        "a text": {"detail": "Mr. Smith"},
        "an object": {"detail": {"loc": ["body"], "type": "missing"}},
        "things that are no objects": {"detail": ["Mr. Smith", 5, None, ["missing"]]},
        "no detail": {"message": "Mr. Smith"},
        "an array": [{"type": "missing"}],
        "a page": PAGE,
        "half of it": b'{"detail": [{"type": "missing"}]',
        "bytes": b'{"detail": "\xff"}',
        "brackets without end": b"[" * 100_000,
        "nothing": b"",
    },
)
def test_other_details_are_not_told(body: object) -> None:
    """The status is then all there is to say."""
    assert judge(answered(422, body), FIRST) == Refused(422, "Tuner answered 422")


def test_of_a_long_refusal_the_begin_is_told() -> None:
    """A server can complain about each of a million rows."""
    refused = refusal([{"type": "missing", "loc": ["body", number]} for number in range(10_000)])

    assert refused.errors == tuple(Problem(f"[{number}]", "missing") for number in range(MOST))
    assert refused.message.endswith("[4]: missing; and at least 15 more")
