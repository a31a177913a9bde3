"""Whatever an event names, a request says it as data: it never becomes another parameter, another
path, another header or another request.
"""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from builders import event
from core.tables import table
from edge.hostile import Peer, serving, until
from edge.posting import Client
from hypothesis import given
from hypothesis import strategies as st

from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.outcome import Dead
from ingestor.core.record import Partition, Record
from ingestor.core.route import Destination, Route
from ingestor.core.routing import AGENT_HEADER, WORKSPACE_HEADER, Router
from ingestor.edge.requests import PATH, create_call_url

HOSTILE = {
    "line breaks": "a\r\nX-Evil: 1\r\n\r\nPOST /evil HTTP/1.1",
    "another parameter": "a&workspace_id=2",
    "a fragment": "a#b",
    "a path": "/../../admin?x=1",
    "a NUL": "a\0b",
    "escapes that were written": "%0d%0a%26&amp;",
    "a plus and a space": "a+b c",
    "other scripts": "Zürich \N{CJK UNIFIED IDEOGRAPH-4E2D} \N{TELEPHONE LOCATION SIGN}\u2028",
    "a quote": "\"';--<script>",
    "an absolute address": "http://evil.test/@evil.test:80",
}
HEADERS = {
    "host",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "user-agent",
    "authorization",
    "x-api-key",
}


def routed(body: bytes, headers: tuple[tuple[str, bytes], ...], to: Destination) -> Route | Dead:
    """Decode and route an event as the service does."""
    record = Record(Partition("calls", 0), 0, 0, None, body, headers)
    call = Decoder(Reading(max_bytes=2**20)).decode(record)
    assert isinstance(call, Call)
    return Router(to, workspace="1", agent="front-desk").route(record, call)


@table("text", HOSTILE)
@pytest.mark.parametrize("is_header", [False, True])
async def test_an_agent_is_what_the_event_says_and_nothing_more(
    client: Client, text: str, *, is_header: bool
) -> None:
    """On the wire: one request, to one path, with the headers of every request."""
    rest = []

    async def listen(peer: Peer) -> None:
        await peer.request()
        await peer.answer(head="Connection: close\r\n")
        rest.append(await peer.reader.read())

    body = event() if is_header else event(agent_remote_identifier=text)
    headers = ((AGENT_HEADER, text.encode()),) if is_header else ()
    async with serving(listen) as server, client.opened() as tuner:
        route = routed(body, headers, Destination(f"{server.url}/base", "default"))
        assert isinstance(route, Route)
        answer = await tuner.post(body, route)
        await until(lambda: rest)

    (request,) = server.requests
    method, target, version = request.line.split(" ")
    address = urlsplit(target)
    assert (method, version, address.path) == ("POST", "HTTP/1.1", f"/base{PATH}")
    assert (address.scheme, address.netloc, address.fragment) == ("", "", "")
    assert parse_qs(address.query, keep_blank_values=True, strict_parsing=True) == {
        "workspace_id": ["1"],
        "agent_remote_identifier": [text],
    }
    assert target.isascii()
    assert request.headers.keys() == HEADERS
    assert request.body == body
    assert rest == [b""]
    assert answer.status == 201  # type: ignore[union-attr]  # it was answered


@table("text", HOSTILE)
@pytest.mark.parametrize("is_header", [False, True])
def test_a_workspace_is_a_number_or_a_letter(text: str, *, is_header: bool) -> None:
    """It is never posted as a text; why not is said without it."""
    body = event() if is_header else event(workspace_id=text)
    headers = ((WORKSPACE_HEADER, text.encode()),) if is_header else ()

    found = routed(body, headers, Destination("http://tuner.test", "default"))

    assert isinstance(found, Dead)
    assert text not in found.message


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_out_as_it_went_in(text: str) -> None:
    """Of all that Unicode has."""
    url = create_call_url(Route(Destination("https://tuner.test/p", "default"), "7", text))

    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    before, _, written = url.partition("agent_remote_identifier=")
    assert before == f"https://tuner.test/p{PATH}?workspace_id=7&"
    assert not set(written) & set("&#?/+;=")
    assert unquote(written) == text


def test_bytes_that_are_no_text_name_nobody() -> None:
    """In a header they are a letter, and a lone surrogate in a body is no JSON."""
    to = Destination("http://tuner.test", "default")
    assert isinstance(routed(event(), ((AGENT_HEADER, b"\xff\r\n"),), to), Dead)

    record = Record(Partition("c", 0), 0, 0, None, b'{"agent_remote_identifier":"\\ud800"}', ())
    assert isinstance(Decoder(Reading(max_bytes=2**20)).decode(record), Dead)
