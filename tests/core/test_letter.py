"""The dead letter."""

import json
from datetime import UTC, datetime

from builders import dead, record, route
from core.strategies import headers as any_headers
from core.tables import table
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.letter import Letter, NotWritten, letter
from ingestor.core.outcome import Dead, Reason, Tries
from ingestor.core.problem import Problem
from ingestor.core.record import Damage, Header, Partition, Record

REFUSED = Dead(
    Reason.REFUSED,
    "Tuner answered 422: call_id: missing",
    (Problem("call_id", "missing"), Problem("transcript_with_tool_calls[3]", "value_error")),
    422,
    Tries(3, 1_781_108_062.0, 1_781_108_065.25),
    "orders-7f3a",
)


def said(written: Letter) -> dict[str, bytes | None]:
    """List what the letter itself says."""
    return {name: value for name, value in written.headers if name.startswith("ingestor-")}


def test_a_letter_keeps_key_value_and_headers() -> None:
    """The very bytes: what is replayed later is what came."""
    read = record(b"\xff anything", key=b"\0key", headers=[("a", None), ("b", b"\xff"), ("a", b"")])

    written = letter(read, REFUSED, route(), version="1.2.3")

    assert (written.key, written.value) == (read.key, read.value)
    assert written.headers[:3] == read.headers
    assert all(name.startswith("ingestor-") for name, _ in written.headers[3:])


def test_a_letter_says_all_about_the_failure() -> None:
    """In headers, each of them text."""
    read = record(topic="calls", partition=3, offset=99, timestamp=1_781_108_060_001)

    assert said(letter(read, REFUSED, route(), version="1.2.3")) == {
        "ingestor-schema": b"1",
        "ingestor-reason": b"refused",
        "ingestor-message": b"Tuner answered 422: call_id: missing",
        "ingestor-status": b"422",
        "ingestor-errors": b'[{"loc":"call_id","type":"missing"},'
        b'{"loc":"transcript_with_tool_calls[3]","type":"value_error"}]',
        "ingestor-attempts": b"3",
        "ingestor-first-attempt": b"2026-06-10T16:14:22.000Z",
        "ingestor-last-attempt": b"2026-06-10T16:14:25.250Z",
        "ingestor-topic": b"calls",
        "ingestor-partition": b"3",
        "ingestor-offset": b"99",
        "ingestor-timestamp": b"1781108060001",
        "ingestor-call-id": b"orders-7f3a",
        "ingestor-workspace-id": b"7",
        "ingestor-agent-id": b"front-desk",
        "ingestor-version": b"1.2.3",
        "ingestor-replays": b"0",
    }


def test_what_is_not_known_is_left_out() -> None:
    """An event that could not be read has no call, no route and no attempt."""
    malformed = Dead(Reason.MALFORMED, "is not JSON")

    written = said(letter(record(), malformed, None, version="1.2.3"))

    assert set(written) == {
        "ingestor-schema",
        "ingestor-reason",
        "ingestor-message",
        "ingestor-attempts",
        "ingestor-topic",
        "ingestor-partition",
        "ingestor-offset",
        "ingestor-timestamp",
        "ingestor-version",
        "ingestor-replays",
    }
    assert written["ingestor-attempts"] == b"0"


@table(
    "header, replays",
    {
        "once": (b"1", b"1"),
        "often": (b"12", b"12"),
        "more often than anybody": (b"9" * 5_000, b"999999999"),
        "not at all": (None, b"0"),
        "nothing in it": (b"", b"0"),
        "below zero": (b"-1", b"0"),
        "digits of another alphabet": ("\u0661".encode(), b"0"),
        "a word": (b"once", b"0"),
    },
)
def test_a_letter_knows_how_often_it_was_replayed(header: bytes | None, replays: bytes) -> None:
    """A record that was replayed says so; what it says is a stranger's text."""
    read = record(headers=[("ingestor-replays", header)])

    assert said(letter(read, dead(), route(), version="1"))["ingestor-replays"] == replays


def test_a_replayed_letter_tells_of_its_last_failure_only() -> None:
    """The headers of the earlier letter are replaced, those of the event are kept."""
    first = letter(
        record(headers=[("own", b"1")]),
        dead(message="an earlier failure", status=400),
        route(),
        version="1",
    )
    replayed = Record(Partition("calls", 0), 500, 0, first.key, first.value, first.headers)

    second = letter(replayed, Dead(Reason.NO_ROUTE, "a later one"), None, version="2")

    names = [name for name, _ in second.headers]
    assert len(names) == len(set(names))
    assert names[0] == "own"
    assert "ingestor-status" not in names
    assert said(second)["ingestor-message"] == b"a later one"
    assert said(second)["ingestor-offset"] == b"500"


def test_text_that_has_no_utf_8_is_replaced() -> None:
    """A lone surrogate in an id must not keep the letter from being written."""
    written = letter(
        record(), dead(call_id="a\ud83d", status=None), route(agent="\ude00b"), version="1"
    )

    assert said(written)["ingestor-call-id"] == b"a?"
    assert said(written)["ingestor-agent-id"] == b"?b"


def test_an_endless_id_is_cut() -> None:
    """An event may name an agent of megabytes; beside its value there is no room for that."""
    written = letter(record(), dead(), route(agent="\u00e9" * 10**6), version="1")

    assert said(written)["ingestor-agent-id"] == ("\u00e9" * 1_000).encode()


def test_an_instant_before_all_time_is_an_instant() -> None:
    """A wrong clock is told as it was."""
    written = letter(record(), dead(tries=Tries(1, 0.0, 0.0)), route(), version="1")

    assert said(written)["ingestor-first-attempt"] == b"1970-01-01T00:00:00.000Z"


def test_a_letter_that_was_not_written_says_why() -> None:
    """In a word, for the log."""
    assert NotWritten("message_too_large").cause == "message_too_large"


TEXTS = st.text(st.characters(codec=None))
PROBLEMS = st.builds(Problem, st.text(), st.text())


@given(
    any_headers,
    st.builds(
        Dead,
        st.sampled_from(Reason),
        st.text(),
        st.lists(PROBLEMS).map(tuple),
        st.none() | st.integers(100, 599),
        st.builds(Tries, st.integers(0), st.none() | st.floats(0, 4e9), st.none()),
        st.none() | TEXTS,
    ),
    TEXTS,
)
def test_every_failure_can_be_written(headers: list[Header], failure: Dead, agent: str) -> None:
    """A letter that could not be written would keep its record unfinished for ever."""
    read = record(headers=headers)

    written = letter(read, failure, route(agent=agent), version="1")

    assert (written.key, written.value) == (read.key, read.value)
    assert [*written.headers[: len(headers)]] == headers
    texts = {name: (value or b"").decode() for name, value in said(written).items()}
    assert texts["ingestor-reason"] == failure.reason
    assert texts["ingestor-message"] == failure.message
    errors = json.loads(texts.get("ingestor-errors", "[]"))
    assert [Problem(error["loc"], error["type"]) for error in errors] == list(failure.errors)
    if failure.tries.first is not None:
        instant = datetime.fromisoformat(texts["ingestor-first-attempt"])
        assert abs(instant - datetime.fromtimestamp(failure.tries.first, UTC)).total_seconds() < 1


def test_the_letter_of_a_range_says_where_it_ends() -> None:
    """Its value is what was found there."""
    read = record(b"\0 raw", offset=13, timestamp=-1, damage=Damage(20, "a cause"))

    written = letter(read, Dead(Reason.UNREADABLE, "a message"), None, version="1")

    assert written.value == b"\0 raw"
    assert said(written)["ingestor-offset"] == b"13"
    assert said(written)["ingestor-last-offset"] == b"20"
    assert "ingestor-last-offset" not in said(letter(record(), REFUSED, None, version="1"))
