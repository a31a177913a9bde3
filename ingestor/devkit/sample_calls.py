"""Makes up call-ended events as platforms publish them: most are good, some bad in every known way.

Each says what it is, and how it should end in a service whose settings name the event type
`EVENT_TYPE` as well as a workspace, an agent and a key that Tuner knows. Slowness and failures that
pass are not in an event: have Tuner show them for call ids like `SLOW_CALLS` and `FLAKY_CALLS`.
"""

import base64
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final, TypeAlias

import orjson

from ingestor.devkit.sample_bodies import TRANSCRIPT, Fields, body, draft

__all__ = [
    "EVENT_TYPE",
    "FLAKY_CALLS",
    "SLOW_CALLS",
    "Label",
    "Outcome",
    "SampleEvent",
    "body",
    "sample_calls",
]

EVENT_TYPE: Final = "com.example.call.ended"
FLAKY_CALLS: Final = "flaky-*"
SLOW_CALLS: Final = "slow-*"

_OTHER_TYPES: Final = (
    "com.example.call.started",
    "com.example.call.transferred",
    "com.example.recording.ready",
)
_SOURCE: Final = "/sample/voice-platform"
_TIME: Final = "2026-06-10T12:00:00Z"
_USUAL_SIZE: Final = 4_500
_SPREAD: Final = 0.75  # of the size's logarithm: one in twenty is above 15,000
_SIZES: Final = (1_500, 30_000)
_REMEMBERED: Final = 50
_FRAME: Final = b"\x00" + (7).to_bytes(4, "big")  # a schema registry's: a zero, the schema's id

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
Content: TypeAlias = tuple[bytes | None, Headers]


class Label(StrEnum):
    """Name what a sample event is."""

    GOOD = "good"
    STRUCTURED = "cloudevent structured"
    BINARY = "cloudevent binary"
    FRAMED = "framed"
    SLOW = "slow"
    FLAKY = "fails for a while"
    DUPLICATE = "duplicate"
    TOMBSTONE = "tombstone"
    OTHER_TYPE = "other event type"
    MALFORMED = "malformed"
    INVALID = "invalid"
    NO_ROUTE = "no route"
    REFUSED = "refused by Tuner"


class Outcome(StrEnum):
    """Name how an event ends."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """Hold one event, what it is, and how it should end; a dead one has the letter's *reason*.

    *call_id* is the one that can be read in it, None when none can.
    """

    key: bytes
    value: bytes | None
    headers: Headers
    label: Label
    outcome: Outcome
    reason: str | None
    call_id: str | None


def sample_calls(count: int, seed: int = 0) -> Iterator[SampleEvent]:
    """Yield *count* events, the same for the same *seed*, a longer run beginning like a shorter.

    Each hundred holds every label. A duplicate repeats one of the last good events to the byte.
    """
    dice = Random(seed)  # noqa: S311  # samples are to be predictable
    published: deque[SampleEvent] = deque(maxlen=_REMEMBERED)
    for label, _ in zip(_labels(dice), range(count), strict=False):
        if label is not Label.DUPLICATE:
            event = _KINDS[label].event(label, dice)
        elif published:
            event = replace(dice.choice(published), label=label, outcome=Outcome.DUPLICATE)
        else:
            event = _KINDS[Label.GOOD].event(Label.GOOD, dice)
        if event.label is Label.GOOD:
            published.append(event)
        yield event


def _labels(dice: Random) -> Iterator[Label]:
    deck = [label for label, share in _SHARES.items() for _ in range(share)]
    while True:
        dice.shuffle(deck)
        yield from deck


@dataclass(frozen=True, slots=True)
class _Kind:
    """Say how an event of one label is made, and how it ends."""

    make: Callable[[str, Random], Content]
    outcome: Outcome = Outcome.DELIVERED
    reason: str | None = None
    prefix: str = "call"
    is_named: bool = True

    def event(self, label: Label, dice: Random) -> SampleEvent:
        call_id = f"{self.prefix}-{dice.getrandbits(64):016x}"
        value, headers = self.make(call_id, dice)
        known = call_id if self.is_named else None
        key = call_id.encode()
        return SampleEvent(key, value, headers, label, self.outcome, self.reason, known)


def _fields(call_id: str, dice: Random) -> Fields:
    smallest, largest = _SIZES
    size = dice.lognormvariate(math.log(_USUAL_SIZE), _SPREAD)
    return draft(call_id, size=int(min(max(size, smallest), largest)), dice=dice)


def _bare(call_id: str, dice: Random) -> Content:
    trace = f"00-{dice.getrandbits(128):032x}-{dice.getrandbits(64):016x}-01".encode()
    headers: Headers = (("traceparent", trace),) if dice.randrange(3) == 0 else ()
    return orjson.dumps(_fields(call_id, dice)), headers


def _structured(call_id: str, dice: Random) -> Content:
    return _envelope(call_id, EVENT_TYPE, _fields(call_id, dice), in_base64=dice.randrange(8) == 0)


def _binary(call_id: str, dice: Random) -> Content:
    return _attributed(call_id, EVENT_TYPE, _fields(call_id, dice))


def _other_type(call_id: str, dice: Random) -> Content:
    wrap, event_type = dice.choice((_envelope, _attributed)), dice.choice(_OTHER_TYPES)
    return wrap(call_id, event_type, {"call_id": call_id, "at": _TIME})


def _envelope(call_id: str, event_type: str, fields: Fields, *, in_base64: bool = False) -> Content:
    """Make a CloudEvent in structured mode (Kafka protocol binding, section 3.3)."""
    envelope: Fields = {
        "specversion": "1.0",
        "id": f"event-{call_id}",
        "source": _SOURCE,
        "type": event_type,
        "time": _TIME,
        "datacontenttype": "application/json",
    }
    if in_base64:
        envelope["data_base64"] = base64.b64encode(orjson.dumps(fields)).decode()
    else:
        envelope["data"] = fields
    headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    return orjson.dumps(envelope), headers


def _attributed(call_id: str, event_type: str, fields: Fields) -> Content:
    """Make a CloudEvent in binary mode (Kafka protocol binding, section 3.2)."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"event-{call_id}".encode()),
        ("ce_source", _SOURCE.encode()),
        ("ce_type", event_type.encode()),
        ("ce_time", _TIME.encode()),
        ("content-type", b"application/json"),
    )
    return orjson.dumps(fields), headers


def _framed(call_id: str, dice: Random) -> Content:
    return _FRAME + orjson.dumps(_fields(call_id, dice)), ()


def _tombstone(_call_id: str, _dice: Random) -> Content:
    return None, ()


def _malformed(call_id: str, dice: Random) -> Content:
    """Make what is no JSON, though Python's own parser takes the third and the fourth."""
    good = orjson.dumps(_fields(call_id, dice))
    return dice.choice(
        (
            good[: len(good) // 2],
            f"call {call_id} ended".encode(),
            good[:-1] + b',"score":NaN}',
            good[:-1] + b',"note":"\\ud83d"}',
            _FRAME + b"\x02\x0ecall-42",
            b"",
        )
    ), ()


def _invalid(call_id: str, dice: Random) -> Content:
    """Break one rule on which every public version of Tuner's Create Call reference agrees."""
    fields = _fields(call_id, dice)
    rows = fields[TRANSCRIPT]
    untimed = {"role": "user", "text": "Hello?", "start_ms": 400}
    stranger = {"role": "assistant", "text": "Hello.", "start_ms": 400, "end_ms": 900}
    fields |= dice.choice(
        (
            {TRANSCRIPT: []},
            {TRANSCRIPT: [*rows, untimed]},
            {TRANSCRIPT: [*rows, stranger]},
            {"caller_phone_number": 15550100},
            {"call_type": ""},
            {"end_timestamp": _TIME},
        )
    )
    return orjson.dumps(fields), ()


def _no_route(call_id: str, dice: Random) -> Content:
    return orjson.dumps(_fields(call_id, dice)), (("tuner-workspace-id", b"north"),)


def _refused(call_id: str, dice: Random) -> Content:
    """Give the version as a word, as one voice framework does: Tuner now takes only a number."""
    fields = _fields(call_id, dice) | {"agent_version": dice.choice(("v2.3.1", "main"))}
    return orjson.dumps(fields), ()


_SHARES: Final = {
    Label.GOOD: 62,
    Label.STRUCTURED: 8,
    Label.BINARY: 6,
    Label.FRAMED: 4,
    Label.DUPLICATE: 4,
    Label.OTHER_TYPE: 3,
    Label.MALFORMED: 3,
    Label.INVALID: 3,
    Label.TOMBSTONE: 2,
    Label.REFUSED: 2,
    Label.SLOW: 1,
    Label.FLAKY: 1,
    Label.NO_ROUTE: 1,
}
_KINDS: Final = {
    Label.GOOD: _Kind(_bare),
    Label.STRUCTURED: _Kind(_structured),
    Label.BINARY: _Kind(_binary),
    Label.FRAMED: _Kind(_framed),
    Label.SLOW: _Kind(_bare, prefix="slow"),
    Label.FLAKY: _Kind(_bare, prefix="flaky"),
    Label.TOMBSTONE: _Kind(_tombstone, Outcome.IGNORED, is_named=False),
    Label.OTHER_TYPE: _Kind(_other_type, Outcome.IGNORED),
    Label.MALFORMED: _Kind(_malformed, Outcome.DEAD, "malformed", is_named=False),
    Label.INVALID: _Kind(_invalid, Outcome.DEAD, "invalid"),
    Label.NO_ROUTE: _Kind(_no_route, Outcome.DEAD, "no_route"),
    Label.REFUSED: _Kind(_refused, Outcome.DEAD, "refused"),
}
