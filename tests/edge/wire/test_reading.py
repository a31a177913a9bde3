"""What counts as an answer: bytes in, a finding out, without a socket."""

import gzip
import zlib
from itertools import pairwise

import pytest
from edge.wire.strict import RefusedError, read
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestor.core.answer import Answer, Answered, Fault, Unanswered
from ingestor.edge.requests import MOST_ANSWER_BYTES
from ingestor.edge.wire.head import MOST_KNOWN
from ingestor.edge.wire.reading import (
    MOST_FRAMING_BYTES,
    MOST_HEAD_BYTES,
    Familiar,
    Known,
    Reading,
)

OK = b"HTTP/1.1 201 Created\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MADE = Answered(201, b"{}")


def found(*parts: bytes, is_closed: bool = False) -> Answered | Fault | None:
    """Read *parts* one after the other, up to a finding."""
    reading = Reading({})
    for part in parts:
        if (answer := reading.feed(part)) is not None:
            return plain(answer)
    return plain(reading.end()) if is_closed else None


def plain(answer: Answer) -> Answered | Fault:
    """Say only why there is none, where there is none."""
    return answer.fault if isinstance(answer, Unanswered) else answer


def bytewise(data: bytes) -> list[bytes]:
    """Cut *data* at every byte."""
    return [data[place : place + 1] for place in range(len(data))]


WHOLE = {
    "a length": (TWO, MADE),
    "no reason": (b"HTTP/1.1 201\r\nContent-Length: 2\r\n\r\n{}", MADE),
    "an empty reason": (b"HTTP/1.1 201 \r\nContent-Length: 2\r\n\r\n{}", MADE),
    "HTTP/1.0": (b"HTTP/1.0 201 Made\r\nContent-Length: 2\r\n\r\n{}", MADE),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", Answered(204)),
    "not modified": (b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", Answered(304)),
    "chunks": (CHUNKED + b'2;a="b"\r\n{}\r\n0\r\nX: y\r\n\r\n', MADE),
    "chunks in capitals": (
        OK + b"TRANSFER-ENCODING: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
        Answered(201, b"0123456789"),
    ),
    "provisional ones before": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\nRetry-After: 9\r\n\r\n"
        + TWO,
        MADE,
    ),
    "a wait": (
        b"HTTP/1.1 429 No\r\nretry-after:\t7 \r\nRetry-After: 8\r\nContent-Length: 0\r\n\r\n",
        Answered(429, b"", "7"),
    ),
    "another protocol": (b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n\0\0", Answered(101)),
    "the other protocol": (
        b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\0\0",
        Answered(101),
    ),
    "an identical coding": (
        OK + b"Content-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}",
        MADE,
    ),
}


@pytest.mark.parametrize(("data", "answer"), WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_is_read_however_it_is_cut(data: bytes, answer: Answered) -> None:
    """In one piece, byte by byte, and in two pieces cut anywhere."""
    assert found(data) == answer
    assert found(*bytewise(data)) == answer
    for place in range(1, len(data)):
        assert found(data[:place], data[place:]) == answer


@pytest.mark.parametrize(("data", "answer"), WHOLE.values(), ids=WHOLE)
def test_a_part_of_an_answer_is_none(data: bytes, answer: Answered) -> None:
    """Wherever it ends: nothing was found before, and the end is no finding but a fault."""
    end = data.rindex(b"\r\n\r\n") + 4 if answer.status == 101 else len(data)
    for place in range(end):
        assert found(data[:place]) is None
        assert found(data[:place], is_closed=True) in {Fault.DISCONNECTED, Fault.CUT_OFF}


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    """And only when the server has said so."""
    reading = Reading({})
    assert reading.feed(b"HTTP/1.0 201 Made\r\n\r\n{") is None
    assert reading.feed(b"}") is None

    assert reading.broken() is Fault.CUT_OFF
    assert reading.end() == MADE
    assert not reading.is_ready


NOT_HTTP = {
    "garbage": b"\0\xff",
    "a greeting": b"220 mail.test ESMTP",
    "HTTP/0.9": b"<html>",
    "HTTP/0.9 with a head": b"HTTP/0.9 201 x\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/2": b"HTTP/2.0 201 x\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.2": b"HTTP/1.2 201 x\r\nContent-Length: 2\r\n\r\n{}",
    "RTSP": b"RTSP/1.0 201 x\r\nContent-Length: 2\r\n\r\n{}",
    "something else behind another protocol": b"HTTP/1.1 101 x\r\nHTTP/1.1 201 x\r\n\r\n",
    "RTSP behind a provisional answer": b"HTTP/1.1 100 x\r\n\r\nRTSP/1.0 201 x\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 x\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2010 x\r\n\r\n",
    "a status below all": b"HTTP/1.1 099 x\r\n\r\n",
    "a tab for a space": b"HTTP/1.1\t201 x\r\n\r\n",
    "a zero byte in the reason": b"HTTP/1.1 201 a\0b\r\n\r\n",
    "an empty line before": b"\r\n" + TWO,
    "line feeds alone": b"HTTP/1.1 201 x\nContent-Length: 2\n\n{}\r\n\r\n",
    "one line feed alone": b"HTTP/1.1 201 x\r\nContent-Length: 2\nX: y\r\n\r\n{}",
    "a folded line": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\n{}",
    "a space before the name": OK + b" Content-Length: 2\r\n\r\n{}",
    "no name": OK + b": 2\r\n\r\n",
    "no colon": OK + b"Content-Length\r\n\r\n",
    "a zero byte in a value": OK + b"X: \0\r\n\r\n",
    "length and coding": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": OK + b"Content-Length: +2\r\n\r\n{}",
    "an endless length": OK + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "no length in the length": OK + b"Content-Length: \r\n\r\n{}",
    "chunks in HTTP/1.0": b"HTTP/1.0 201 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "compressed chunks": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks that are then compressed": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "chunks in chunks": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "something like chunks": OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b"zz\r\n",
    "a chunk with a sign": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk without end": CHUNKED + b"fffffffffffffffff\r\n",
    "a chunk with line feeds alone": CHUNKED + b"2\n{}\n0\n\n",
    "a length in a trailer": CHUNKED + b"0\r\nContent-Length: 4\r\n\r\n",
    "bytes behind": TWO + b"{}",
    "the begin of something behind": TWO + b"H",
    "two answers to one request": TWO + TWO,
    "bytes behind the last answer": OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}x",
    "a body where there is none": b"HTTP/1.1 204 x\r\nContent-Length: 2\r\n\r\n{}",
    "a coding that we have not": OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    "two codings": OK + b"Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_an_answer_is_not_taken_for_one(data: bytes) -> None:
    """Neither for a success nor for anything else."""
    assert found(data) is Fault.NOT_HTTP


@pytest.mark.parametrize(
    ("data", "is_reusable"),
    [
        (TWO, True),
        (CHUNKED + b"0\r\n\r\n", True),
        (b"HTTP/1.1 204 x\r\n\r\n", True),
        (b"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.0 201 x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + TWO, True),
        (b"HTTP/1.0 201 x\r\nContent-Length: 0\r\n\r\n", False),
        (OK + b"Connection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 101 x\r\n\r\n", False),
        (b"HTTP/1.1 204 x\r\nContent-Length: 2\r\n\r\n", False),
        (b"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_when_nothing_can_follow(
    data: bytes, *, is_reusable: bool
) -> None:
    """A body that was announced where there is none may still come, into the next answer."""
    reading = Reading({})

    assert isinstance(reading.feed(data), Answered)

    assert reading.is_ready is is_reusable


def test_answers_follow_each_other() -> None:
    """Nothing of one is left for the next."""
    reading = Reading({})
    first = b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx"

    assert reading.feed(first) == Answered(429, b"x", "7")
    assert reading.is_ready
    assert reading.feed(TWO) == MADE


@pytest.mark.parametrize("surplus", [0, 1])
def test_a_huge_answer_is_cut(surplus: int) -> None:
    """No more than a megabyte is kept, and the connection is not used again."""
    length = MOST_ANSWER_BYTES + surplus
    reading = Reading({})

    answer = reading.feed(OK + b"Content-Length: %d\r\n\r\n" % length + bytes(length))

    assert answer == Answered(201, bytes(MOST_ANSWER_BYTES), None, is_whole=not surplus)
    assert reading.is_ready is not surplus


def test_an_endless_answer_is_cut_where_it_is_enough() -> None:
    """Nobody waits for the rest."""
    reading = Reading({})
    assert reading.feed(OK + b"Content-Length: 1000000000\r\n\r\n") is None
    pieces = 0
    while reading.feed(bytes(2**16)) is None:
        pieces += 1

    assert pieces == MOST_ANSWER_BYTES // 2**16


def test_an_endless_head_is_not_read() -> None:
    """In one long line, in many short ones, or in provisional answers without end."""
    for endless in (OK + b"X: " + b"x" * MOST_HEAD_BYTES, OK + b"X: y\r\n" * MOST_HEAD_BYTES):
        assert found(endless) is Fault.NOT_HTTP
    hint = b"HTTP/1.1 103 Hints\r\n\r\n"
    assert found(*[hint] * (MOST_HEAD_BYTES // len(hint))) is None
    assert found(*[hint] * (MOST_HEAD_BYTES // len(hint) + 1)) is Fault.NOT_HTTP


def test_an_endless_framing_is_not_read() -> None:
    """Crumbs with much around them, or trailers, would be memory and time for nothing."""
    crumb = b"1;%b\r\nx\r\n" % (b"e" * 1000)
    trailer = b"X: " + b"y" * 1000
    for endless in ([crumb] * 1000, [b"0\r\n", *[trailer] * 1000]):
        assert found(CHUNKED, *endless) is Fault.NOT_HTTP
    whole = [b"1000\r\n" + bytes(4096) + b"\r\n"] * 250
    assert found(CHUNKED, *whole, b"0\r\n\r\n") == Answered(201, bytes(4096 * 250))
    assert MOST_FRAMING_BYTES > 250 * 8


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_a_compressed_answer_is_understood(coding: str) -> None:
    """Nobody asked for it; but a gateway that does it all the same would stop everything."""
    packed = zlib.compress(b"{}") if coding == "deflate" else gzip.compress(b"{}")
    head = f"Content-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"

    assert found(OK + head.encode() + packed) == MADE


@pytest.mark.parametrize(
    "packed", [b"{}", gzip.compress(b"{}")[:-9], b""], ids=["not packed", "cut", "nothing"]
)
def test_what_cannot_be_unpacked_is_cut_off(packed: bytes) -> None:
    """The same call is tried again."""
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)

    assert found(OK + head + packed) is Fault.CUT_OFF


def test_a_bomb_does_not_go_off() -> None:
    """A little on the wire may be a lot in memory, and a lot on the wire even more."""
    bomb = gzip.compress(bytes(20 * MOST_ANSWER_BYTES))
    huge = gzip.compress(bytes(9)) + bytes(2 * MOST_ANSWER_BYTES)
    cut = Answered(201, bytes(MOST_ANSWER_BYTES), is_whole=False)
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"

    assert found(OK + head % len(bomb) + bomb) == cut
    assert found(OK + head % len(huge) + huge) == Answered(201, bytes(9), is_whole=False)


PIECES = st.sampled_from(
    [
        *(OK, TWO, CHUNKED, b"HTTP/1.0 201\r\n", b"HTTP/1.1 100 x\r\n\r\n", b"HTTP/1.1 204 x\r\n"),
        *(b"Content-Length: 2\r\n", b"content-length:0\r\n", b"Content-Length: 20\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n"),
        *(b"Connection: close\r\n", b"Content-Encoding: gzip\r\n", b"X: y\r\n", b"X:\r\n"),
        *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"{}", b"2\r\n{}\r\n", b"0\r\n\r\n", b"0\r\n"),
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        *(b"HTTP/1.1 101 x\r\n", b"RTSP/1.0 201 x\r\n", b"a", b":", b"\0", b"\xff", b"2;x\r\n"),
    ]
)


@settings(max_examples=1500)
@given(
    pieces=st.lists(PIECES | st.binary(max_size=3), max_size=12),
    cuts=st.lists(st.integers(0, 400), max_size=5),
    is_closed=st.booleans(),
)
@example(pieces=[TWO, b"\r\n"], cuts=[], is_closed=True)
@example(pieces=[CHUNKED, b"0\r\n\r\n", TWO], cuts=[len(CHUNKED) + 5], is_closed=True)
def test_a_success_is_one_by_the_letter(
    pieces: list[bytes], cuts: list[int], *, is_closed: bool
) -> None:
    """Whatever comes, however it is cut: what is taken for an answer is that answer by a strict
    reading of RFC 9112, and nothing is raised.
    """
    data = b"".join(pieces)
    places = [0, *sorted(cuts), len(data)]
    parts = [data[a:b] for a, b in pairwise(places) if a < b]

    finding = found(*parts, is_closed=is_closed)

    if isinstance(finding, Answered):
        message = read(data, is_closed=is_closed)
        assert (finding.status, finding.body) == (message.status, message.body)
        assert finding.is_whole
    if finding is None:
        with pytest.raises(RefusedError):
            read(data, is_closed=False)


EMPTY = OK + b"Content-Length: 0\r\n\r\n"
HEADS = [
    TWO,
    b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx",
    CHUNKED + b"0\r\n\r\n",
]


@settings(max_examples=1500)
@given(
    known=st.lists(st.sampled_from(HEADS) | PIECES, max_size=6),
    pieces=st.lists(st.sampled_from(HEADS) | PIECES | st.binary(max_size=3), max_size=6),
    is_closed=st.booleans(),
)
@example(known=[TWO], pieces=[TWO], is_closed=False)
@example(known=[TWO], pieces=[TWO, b"H"], is_closed=False)
@example(known=[TWO], pieces=[TWO[:-1]], is_closed=True)
@example(known=[EMPTY], pieces=[EMPTY[:-4]], is_closed=True)
@example(known=[EMPTY], pieces=[EMPTY[:-4], b"1234"], is_closed=True)
@example(known=[CHUNKED + b"0\r\n\r\n"], pieces=[CHUNKED], is_closed=False)
def test_a_head_that_is_known_changes_nothing(
    known: list[bytes], pieces: list[bytes], *, is_closed: bool
) -> None:
    """Whatever was read before, and on whichever connection: the finding is that of a first
    reading, and so is what may follow.
    """
    heads: Known = {}
    whole = b"".join(known)
    for data in (*known, whole):
        Reading(heads).feed(data)
    data = b"".join(pieces)
    fresh, wise = Reading({}), Reading(heads)

    answers = [reading.feed(data) for reading in (fresh, wise)]
    if is_closed and answers == [None, None]:
        answers = [reading.end() for reading in (fresh, wise)]

    assert answers[0] == answers[1]
    assert fresh.is_ready is wise.is_ready


def test_only_what_is_the_same_each_time_is_known() -> None:
    """A head before a length of bytes as they are; not one before chunks, a coding or an end that
    is none, and not the half of one that came in two pieces.
    """
    heads: Known = {}
    packed = gzip.compress(b"{}")
    coded = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    for parts in (
        [CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"],
        [OK + coded + packed],
        [OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n"],
        [TWO[:-2], TWO[-2:]],
        [TWO[:9], TWO[9:]],
        [OK + b"\r\n"],
    ):
        reading = Reading(heads)
        for part in parts:
            reading.feed(part)
    assert not heads

    Reading(heads).feed(TWO)

    assert heads == {TWO[:-6]: Familiar(len(TWO), 201, None)}


def test_few_heads_are_known() -> None:
    """They may be large, and each may be another one."""
    heads: Known = {}
    for number in range(3 * MOST_KNOWN):
        Reading(heads).feed(OK + b"X: %d\r\nContent-Length: 2\r\n\r\n{}" % number)
        assert 1 <= len(heads) <= MOST_KNOWN
