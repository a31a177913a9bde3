"""Normal service: what a Tuner without faults answers, checking in the order in which one checks.

JSON first (422 even for strangers), then the key, then query and body together, then the agent,
then whether the call is known.
"""

import time
from dataclasses import dataclass

from ingestor.devkit.fake_tuner.answers import FAILED, Answer, accepted, detail, unprocessable
from ingestor.devkit.fake_tuner.body import Broken, Unreadable
from ingestor.devkit.fake_tuner.credentials import refusal
from ingestor.devkit.fake_tuner.inspection import Fatal, Invalid, Valid, inspect
from ingestor.devkit.fake_tuner.model import CreateCallToday
from ingestor.devkit.fake_tuner.options import Options
from ingestor.devkit.fake_tuner.received import Received
from ingestor.devkit.fake_tuner.recording import Recordings
from ingestor.devkit.fake_tuner.store import Store

UNREADABLE = detail(400, "There was an error parsing the body")


@dataclass(frozen=True, slots=True)
class Served:
    """Hold an answer and what it meant for the store."""

    answer: Answer
    stored: bool = False
    duplicate: bool = False


class Service:
    """Answer requests and store what is accepted; each call happens at once, so none is torn."""

    def __init__(self, options: Options, store: Store, recordings: Recordings) -> None:
        self._options = options
        self._store = store
        self._recordings = recordings

    def serve(self, received: Received) -> Served:
        """Judge *received* and store its call if it is good and new."""
        match received.body:
            case Broken(position, reason):
                return Served(self._broken(position, reason))
            case Unreadable():
                return Served(UNREADABLE)
            case body:
                query, options = received.query, self._options
                if (refused := refusal(received.key, query.workspace_id, options)) is not None:
                    return Served(refused)
                match inspect(query, body, options.profile):
                    case Invalid(problems):
                        return Served(unprocessable(problems, options.nan_answer))
                    case Fatal():
                        return Served(FAILED)
                    case valid:
                        return self._commit(valid, received)

    def _broken(self, position: int, reason: str) -> Answer:
        problem = {
            "type": "json_invalid",
            "loc": ("body", position),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": reason},
        }
        return unprocessable([problem], self._options.nan_answer)

    def _commit(self, valid: Valid, received: Received) -> Served:
        options = self._options
        if options.agents != "any" and valid.agent not in options.agents:
            return Served(detail(options.unknown_agent, "Agent not found"))
        key = (valid.workspace_id, valid.agent, valid.call.call_id)
        call, is_new = self._store.put(key, received.raw, time.monotonic())
        if not is_new and options.duplicates == "409":
            return Served(detail(409, "Call already exists"), duplicate=True)
        content = {"id": call.id, "provider_call_id": call.call_id, "is_new": is_new}
        if isinstance(valid.call, CreateCallToday) and valid.call.recording_file_extension:
            extension = valid.call.recording_file_extension
            content |= self._recordings.offer(call, extension, received.origin)
        return Served(
            accepted(201 if is_new else 200, content), stored=is_new, duplicate=not is_new
        )
