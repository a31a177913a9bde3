"""Answers as bytes."""

import json

import pytest

from ingestor.devkit.fake_tuner.answers import (
    FAILED,
    Answer,
    accepted,
    detail,
    phrase,
    unprocessable,
)


def deep(levels: int) -> list[object]:
    nested: list[object] = []
    for _ in range(levels):
        nested = [nested]
    return nested


def test_a_detail_is_the_phrase_of_its_status() -> None:
    """Where nothing is said, the status speaks for itself."""
    assert detail(404) == Answer(404, b'{"detail":"Not Found"}')
    assert detail(404, "No such agent").body == b'{"detail":"No such agent"}'


def test_headers_are_named_as_http_names_them() -> None:
    """Python names become header names."""
    assert detail(429, retry_after="2").headers == (("Retry-After", "2"),)


@pytest.mark.parametrize(("status", "words"), [(503, "Service Unavailable"), (599, "599")])
def test_a_status_without_a_phrase_is_called_by_its_number(status: int, words: str) -> None:
    """Any status can be answered."""
    assert phrase(status) == words


def test_an_acceptance_is_written_as_it_is() -> None:
    """Text beyond ASCII is not escaped, as FastAPI writes it."""
    assert accepted(201, {"provider_call_id": "é"}).body == '{"provider_call_id":"é"}'.encode()


def test_exceptions_and_bytes_are_written_as_fastapi_writes_them() -> None:
    """An exception in a context becomes an empty object, an unparsed body becomes text."""
    answer = unprocessable([{"input": b"text", "ctx": {"error": ValueError("x")}}], 500)

    assert json.loads(answer.body) == {"detail": [{"input": "text", "ctx": {"error": {}}}]}


@pytest.mark.parametrize(
    ("value", "echoed"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        ("\ud800", "\ud800"),
        (b"\xff", "\ufffd"),
        ({"\ud800": [(float("nan"), 1.5)]}, {"\ud800": [[None, 1.5]]}),
    ],
)
def test_what_json_cannot_say_fails_or_is_replaced(value: object, echoed: object) -> None:
    """NaN, lone surrogates and undecodable bodies break the answer, unless a 422 is asked for."""
    assert unprocessable([value], 500) == FAILED

    answer = unprocessable([value], 422)
    assert (answer.status, json.loads(answer.body)) == (422, {"detail": [echoed]})


@pytest.mark.parametrize("nan_answer", [500, 422])
def test_what_nests_too_deeply_fails(nan_answer: int) -> None:
    """A body deeper than the writer goes is no reason to fall over."""
    assert unprocessable([deep(100_000)], 500 if nan_answer == 500 else 422) == FAILED
