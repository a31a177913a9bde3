"""What a request to the public route says, read as far as it can be read."""

from dataclasses import dataclass

from aiohttp import web

from ingestor.devkit.fake_tuner.body import Body, Parsed, read_body
from ingestor.devkit.fake_tuner.credentials import presented_key
from ingestor.devkit.fake_tuner.fault_plan import Sender
from ingestor.devkit.fake_tuner.inspection import Query, read_query
from ingestor.devkit.fake_tuner.options import Options


@dataclass(frozen=True, slots=True)
class Received:
    """Hold a request. origin: scheme and host by which the client reached us."""

    origin: str
    query: Query
    key: str | None
    raw: bytes
    body: Body

    @property
    def call_id(self) -> str | None:
        """Return the call_id where there is one to be seen, be the rest as bad as it will."""
        value = self.body.value if isinstance(self.body, Parsed) else None
        call_id = value.get("call_id") if isinstance(value, dict) else None
        return call_id if isinstance(call_id, str) else None

    @property
    def sender(self) -> Sender:
        return Sender(self.call_id, self.query.agent, self.key, self.query.workspace_id)


def receive(request: web.Request, raw: bytes, options: Options) -> Received:
    """Read *request*, whose body is *raw*."""
    content_type = request.headers.get("Content-Type")
    return Received(
        origin=f"{request.scheme}://{request.host}",
        query=read_query(request.raw_path.partition("?")[2]),
        key=presented_key(request.headers, options.auth),
        raw=raw,
        body=read_body(raw, content_type, any_content_type=options.any_content_type),
    )
