"""What is private in an event reaches Tuner and the dead letter's value, and nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import event, row
from kafka.cluster import Cluster, Headers, Message
from system.deployment import deployment, message
from system.processes import command

from ingestor.devkit.fake_tuner import (
    Delay,
    Dice,
    Drip,
    Options,
    Redirect,
    Reply,
    Reset,
    Script,
    Truncate,
    Window,
)
from ingestor.devkit.fake_tuner.faults import Fault

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

WORD = "marker-word-4c1f"
PHONE = "+15550177123"
META = "marker-meta-9be2"
# A key that looks like a field's name is shown in paths, and is meant to be; this one does not.
META_KEY = "marker of Jane Doe"
HEADER = "marker-header-7d03"
API_KEY = "marker-api-key-c0de"
MARKERS = (WORD, PHONE, META, META_KEY, HEADER, API_KEY)
OWN_HEADERS: Headers = (("tenant", HEADER.encode()),)
SETTINGS = {
    "TUNER_API_KEY": API_KEY,
    "INGESTOR_LOG_LEVEL": "DEBUG",
    "INGESTOR_BACKOFF_BASE_SECONDS": "0.05",
    "INGESTOR_BACKOFF_MAX_SECONDS": "0.2",
    "INGESTOR_MAX_ATTEMPTS": "2",
}


def private(**changes: Any) -> bytes:
    """Make an event that has every marker in it."""
    fields: Mapping[str, Any] = {
        "transcript_with_tool_calls": [row(text=WORD)],
        "caller_phone_number": PHONE,
        "metadata": {META_KEY: META},
        "collected_dynamic_variables": {PHONE: {META_KEY: META}},
    }
    return event(**{**fields, **changes})


# An answer that repeats what it was sent, wherever an answer can.
ECHO = json.dumps(
    {
        "detail": [
            {
                "type": WORD,
                "loc": ["body", "metadata", META_KEY, PHONE, 15550177123],
                "msg": f"{WORD} is not {META}",
                "input": {PHONE: META},
                "ctx": {"error": API_KEY},
            }
        ],
        WORD: PHONE,
    }
)
PAGE = f"<html><h1>{WORD}</h1><p>{META} {PHONE} {API_KEY}</p></html>"
ONCE: Mapping[str, Fault] = {
    "429": Reply(429, content=ECHO, retry_after=1),
    "503": Reply(503, body="html", content=PAGE, retry_after=WORD),
    "401": Reply(401, content=ECHO),
    "402": Reply(402, body="text", content=PAGE),
    "405": Reply(405, body="html", content=PAGE),
    "501": Reply(501, body="html", content=PAGE),
    "redirected": Redirect(f"https://{WORD}.test/{META}?key={API_KEY}"),
    "reset": Reset(),
    "reset after all": Reset(after_commit=True),
    "cut off": Truncate(answer=Reply(500, body="html", content=PAGE)),
    "slow": Drip(0.3, answer=Reply(502, body="html", content=PAGE)),
    "late": Delay(0.3, answer=Reply(504, content=ECHO)),
    "201": Reply(201, content=ECHO, after_commit=True),
}
FAULTS: tuple[Script | Dice, ...] = (
    Script(call_id="echoing 422", answers=(Reply(422, content=ECHO),)),
    Script(call_id="echoing 400", answers=(Reply(400, content=f"no {WORD} for {PHONE}"),)),
    Script(call_id="echoing hold", answers=(Reply(403, content=ECHO),)),
    Script(call_id="strange page", answers=(Reply(200, body="html", content=f"<p>{META}</p>"),)),
    *(Script(call_id=f"once {name}", answers=(fault,)) for name, fault in ONCE.items()),
    Dice(call_id="echoing 500", share=1.0, fault=Reply(500, content=ECHO)),
)
NAN = private(call_id="nan")[:-1] + f',"score":{{"{META_KEY}":NaN}}}}'.encode()
EVENTS: Mapping[str, tuple[bytes | None, str | None]] = {
    "good": (private(call_id="good"), None),
    "echoing hold": (private(call_id="echoing hold"), None),
    "strange page": (private(call_id="strange page"), None),
    **{f"once {name}": (private(call_id=f"once {name}"), None) for name in ONCE},
    "cut off": (private()[:-40], "malformed"),
    "no object": (f'"{WORD}"'.encode(), "malformed"),
    "no text": (b"\xff" + WORD.encode(), "malformed"),
    "framed": (b"\0\0\0\0\7" + WORD.encode(), "malformed"),
    "nan": (NAN, "malformed"),
    "surrogate": (private(user_sentiment=WORD + "\ud83d"), "malformed"),
    "no speaker": (private(transcript_with_tool_calls=[row(role=WORD, text=WORD)]), "invalid"),
    "no times": (private(transcript_with_tool_calls=[row(text=WORD, end_ms=None)]), "invalid"),
    "phone is a list": (private(caller_phone_number=[PHONE]), "invalid"),
    "long status": (private(call_status=f"{WORD} " * 40), "invalid"),
    "metadata in a row": (private(transcript_with_tool_calls=[row(metadata=META)]), "invalid"),
    "no workspace": (private(workspace_id=META), "no_route"),
    "agent is an object": (private(agent_remote_identifier={META_KEY: META}), "no_route"),
    "refused": (private(call_id="refused", agent_version=WORD), "refused"),
    "echoing 422": (private(call_id="echoing 422"), "refused"),
    "echoing 400": (private(call_id="echoing 400"), "refused"),
    "echoing 500": (private(call_id="echoing 500"), "exhausted"),
}


async def test_nothing_private_is_said(cluster: Cluster) -> None:
    """Not in the log, whatever its level, the metrics, readiness or a letter's headers; not of good
    events, nor of bad ones of any kind, nor when Tuner repeats it.
    """
    options = Options(keys={API_KEY: "any"}, faults=FAULTS)
    async with deployment(cluster, options) as here, here.service(SETTINGS) as running:
        await here.publish(
            Message(value=value, key=PHONE.encode(), headers=OWN_HEADERS)
            for value, _ in EVENTS.values()
        )
        others = 0

        async def are_dead() -> bool:
            nonlocal others
            await here.publish([message("", private(call_id=f"other-{others}"))])
            others += 1
            return await running.metric("ingestor_records_total", outcome="dead") == dead

        dead = sum(reason is not None for _, reason in EVENTS.values())
        await running.until(are_dead)
        await here.until_finished(running)
        pages = [(await running.page(name))[1] for name in ("metrics", "readyz", "livez")]
        letters = await here.letters()

    assert {letter.value: letter.reason for letter in letters} == {
        value: reason for value, reason in EVENTS.values() if reason is not None
    }
    assert all(letter.headers == OWN_HEADERS for letter in letters)
    assert here.posted().keys() >= {fault.call_id for fault in FAULTS}
    assert running.entries_of("letter"), "else there was nothing to find"
    spoken = [running.said, *pages, *(json.dumps(dict(letter.said)) for letter in letters)]
    assert told(*spoken) == set()


def told(*spoken: str) -> set[str]:
    """Find the markers in what was *spoken*."""
    return {m for m in MARKERS for text in spoken if m in text or m.lstrip("+") in text}


async def test_nothing_private_is_printed(cluster: Cluster, tmp_path: Path) -> None:
    """Not by those who look around, whatever Tuner answers them, nor by those who look at events:
    the terminal of a deployer may be the log of a pipeline.
    """
    fault = Window(fault=Reply(422, content=ECHO), seconds=60)
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\n".join(value for value, _ in EVENTS.values() if value))
    async with deployment(cluster, Options(keys={API_KEY: "any"}, faults=(fault,))) as here:
        spoken = [
            await printed(*arguments, environ={**here.environ, "TUNER_API_KEY": API_KEY})
            for arguments in (("check",), ("check", "--connect"), ("validate", str(events)))
        ]

    assert all(spoken)
    assert here.tuner.requests
    assert told(*spoken) == set()


async def printed(*arguments: str, environ: Mapping[str, str]) -> str:
    """Run a command to its end; give all that it said."""
    async with command(*arguments, environ=environ) as running:
        await running.ended()
    return running.said
