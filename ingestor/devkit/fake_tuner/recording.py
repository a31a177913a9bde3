"""Offers upload targets for recordings and takes the uploads, as S3 does for a presigned POST.

A form whose policy fields come verbatim and whose file comes last; the answers are S3's, in XML.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from ingestor.devkit.fake_tuner.store import Call

BUCKET = "/_standin/recordings"
_SECRET = b"signs nothing but practice uploads"
_CONTENT_TYPES = {"mp3": "audio/mpeg", "ogg": "audio/ogg", "wav": "audio/wav", "webm": "audio/webm"}
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Recording:
    """Hold one uploaded recording of the call with the id *call*."""

    key: str
    call: int
    content: bytes


@dataclass(frozen=True, slots=True)
class _Offer:
    call: int
    fields: dict[str, str]


class Recordings:
    """Hold the offers made and the recordings that came; max_bytes None makes no offers."""

    def __init__(self, max_bytes: int | None) -> None:
        self._max_bytes = max_bytes
        self._offers: dict[str, _Offer] = {}
        self.arrived: dict[str, Recording] = {}

    def offer(self, call: Call, extension: str, origin: str) -> dict[str, Any]:
        """Return `recording_upload` for the answer to *call*, or nothing if none is offered."""
        if self._max_bytes is None:
            return {}
        key = f"{call.workspace_id}/{call.id}.{extension}"
        content_type = _CONTENT_TYPES.get(extension, "application/octet-stream")
        fields = _signed({"key": key, "Content-Type": content_type}, self._max_bytes)
        self._offers[key] = _Offer(call.id, fields)
        target = {
            "url": origin + BUCKET,
            "fields": fields,
            "key": key,
            "max_bytes": self._max_bytes,
            "content_type": content_type,
        }
        return {"recording_upload": target}

    def clear(self) -> None:
        """Forget all offers and recordings."""
        self._offers.clear()
        self.arrived.clear()

    async def take(self, request: web.Request) -> web.Response:
        """Take an upload: 204, or S3's error for a form that does not keep to its policy."""
        if request.content_type != "multipart/form-data":
            return _error(412, "PreconditionFailed", "not a multipart/form-data form")
        fields: dict[str, str] = {}
        content: bytes | None = None
        try:
            async for part in await request.multipart():
                if content is not None:
                    return _error(400, "InvalidArgument", "the file must be the last part")
                if not isinstance(part, BodyPartReader):
                    return _error(400, "MalformedPOSTRequest", "a part within a part")
                if part.name == "file":
                    content = await _read(part, self._max_bytes or 0)
                else:
                    fields[part.name or ""] = (await _read(part, _CHUNK)).decode()
        except ValueError:
            return _error(400, "MalformedPOSTRequest", "the form cannot be read")
        return self._keep(fields, content)

    def _keep(self, fields: dict[str, str], content: bytes | None) -> web.Response:
        offer = self._offers.get(fields.get("key", ""))
        if offer is None or any(fields.get(name) != held for name, held in offer.fields.items()):
            return _error(403, "AccessDenied", "the form does not keep to a policy of ours")
        if content is None:
            return _error(400, "InvalidArgument", "there is no file")
        if len(content) > (self._max_bytes or 0):
            return _error(400, "EntityTooLarge", "the file is larger than the policy allows")
        key = fields["key"]
        self.arrived[key] = Recording(key, offer.call, content)
        return web.Response(status=204)


async def _read(part: BodyPartReader, limit: int) -> bytes:
    """Read a part, or as much of it as shows that it is larger than *limit*."""
    content = bytearray()
    while len(content) <= limit and (chunk := await part.read_chunk(_CHUNK)):
        content += chunk
    return bytes(content)


def _signed(conditions: dict[str, str], max_bytes: int) -> dict[str, str]:
    limits: list[Any] = [conditions, ["content-length-range", 0, max_bytes]]
    policy = base64.b64encode(json.dumps({"conditions": limits}).encode())
    signature = hmac.new(_SECRET, policy, hashlib.sha256).hexdigest()
    return {**conditions, "policy": policy.decode(), "x-amz-signature": signature}


def _error(status: int, code: str, message: str) -> web.Response:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")
