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
from ingestor.edge.wire.head import read_plain
from ingestor.edge.wire.reading import MOST_FRAMING_BYTES, MOST_HEAD_BYTES, Reading

OK = b"HTTP/1.1 201 Created\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MADE = Answered(201, b"{}")


def found(*parts: bytes, is_closed: bool = False) -> Answered | Fault | None:
    """Read *parts* one after the other, up to a finding."""
    reading = Reading()
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
    reading = Reading()
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
    reading = Reading()

    assert isinstance(reading.feed(data), Answered)

    assert reading.is_ready is is_reusable


def test_answers_follow_each_other() -> None:
    """Nothing of one is left for the next."""
    reading = Reading()
    first = b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx"

    assert reading.feed(first) == Answered(429, b"x", "7")
    assert reading.is_ready
    assert reading.feed(TWO) == MADE


@pytest.mark.parametrize("surplus", [0, 1])
def test_a_huge_answer_is_cut(surplus: int) -> None:
    """No more than a megabyte is kept, and the connection is not used again."""
    length = MOST_ANSWER_BYTES + surplus
    reading = Reading()

    answer = reading.feed(OK + b"Content-Length: %d\r\n\r\n" % length + bytes(length))

    assert answer == Answered(201, bytes(MOST_ANSWER_BYTES), None, is_whole=not surplus)
    assert reading.is_ready is not surplus


def test_an_endless_answer_is_cut_where_it_is_enough() -> None:
    """Nobody waits for the rest."""
    reading = Reading()
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


FIELDS = [
    *(b"Content-Type: application/json", b"Connection: keep-alive", b"Connection: close", b"X: y"),
    *(b"connection: upgrade", b"Upgrade: x", b"Proxy-Connection: close", b"CF-Ray: 1", b"ETag:"),
    *(b"Retry-After: 7", b"retry-after:8", b"Content-Encoding: gzip", b"Content-encoding: gzip"),
    *(b"Transfer-Encoding: chunked", b"content-length: 2", b"Content-Length: 2", b"A b: c", b"e"),
    *(b"Content-Length: 02", b"Content-Length: 0", b"Content-Length:2", b"Date: Wed, 10 Jun 2026"),
]
PLAIN = OK + b"Date: x\r\nContent-Type: a/b\r\nX-Id:\t1 \r\nContent-Length: 2\r\nVia: y\r\n\r\n{}"


def assert_read_alike(data: bytes, *, is_closed: bool = False) -> None:
    """Compare a reading in one piece with one by llhttp, which no plain head is left to."""
    whole, cut = Reading(), Reading()
    assert cut.feed(data[:1]) in {None, Unanswered(Fault.NOT_HTTP)}
    first, second = whole.feed(data), cut.feed(data[1:])
    if is_closed and first is second is None:
        first, second = whole.end(), cut.end()
    assert first == second
    assert whole.is_ready is cut.is_ready


@settings(max_examples=3000)
@given(
    line=st.sampled_from([OK, b"HTTP/1.1 429 \r\n", b"HTTP/1.0 201 x\r\n", b"HTTP/1.1 304 x\r\n"]),
    fields=st.lists(st.sampled_from(FIELDS), max_size=6),
    body=st.sampled_from([b"", b"{}", b"{}{", b"2\r\n{}\r\n0\r\n\r\n", TWO]),
    is_closed=st.booleans(),
)
@example(line=OK, fields=[b"Content-Length: 2"], body=b"{}H", is_closed=False)
def test_a_plain_answer_is_what_llhttp_finds(
    line: bytes, fields: list[bytes], body: bytes, *, is_closed: bool
) -> None:
    """Whatever the head is made of: the same answer, and the same of what may follow."""
    assert_read_alike(
        line + b"".join(b"%b\r\n" % field for field in fields) + b"\r\n" + body,
        is_closed=is_closed,
    )


def test_no_byte_makes_an_answer_plain_that_is_not() -> None:
    """Each byte of a plain answer, in turn, is made any other, is left out, and gets another before
    it.
    """
    assert found(PLAIN) == MADE
    for place in range(len(PLAIN)):
        before, after = PLAIN[:place], PLAIN[place + 1 :]
        assert_read_alike(before + after)
        for byte in range(256):
            assert_read_alike(b"%b%c%b" % (before, byte, after))
            assert_read_alike(b"%b%c%b" % (before, byte, PLAIN[place:]))


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_is_read_alike(status: int) -> None:
    """Some have no body, whatever they say."""
    assert_read_alike(b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\n{}" % status)
    assert_read_alike(b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\n" % status)


def test_a_plain_head_is_bounded_like_any_other() -> None:
    """By its bytes, and the body by what its length may say."""
    for size in (MOST_HEAD_BYTES - 100, MOST_HEAD_BYTES + 1):
        assert_read_alike(OK + b"X: %b\r\nContent-Length: 2\r\n\r\n{}" % (b"y" * size))
    for length in (999_999, 1_000_000, MOST_ANSWER_BYTES, MOST_ANSWER_BYTES + 1):
        assert_read_alike(OK + b"Content-Length: %d\r\n\r\n" % length + bytes(length))


@pytest.mark.parametrize("field", FIELDS)
def test_one_field_more_is_read_alike(field: bytes) -> None:
    """Before the length and behind it, in whatever case: most of an answer is plain, and that one
    field may change what it is.
    """
    length = b"Content-Length: 2"
    for more in (field, field.lower(), field.upper(), field.title()):
        for fields in ([more, length], [length, more]):
            for body in (b"", b"{}", b"{}H"):
                assert_read_alike(OK + b"\r\n".join([*fields, b"", body]))


def test_usual_answers_are_plain() -> None:
    """Those of a gateway and of a server alone: it is they that most time is saved with."""
    kept = b"Connection: keep-alive\r\nCF-Ray: 8f-TXL\r\nX-Request-Id: 1\r\n"
    for fields in (b"", kept, b"server: uvicorn\r\ncontent-type: application/json\r\n"):
        head = OK + fields + b"content-length: 62\r\nDate: Wed, 10 Jun 2026 12:00:35 GMT\r\n\r\n"
        assert read_plain(head) == (201, len(head) + 62)
