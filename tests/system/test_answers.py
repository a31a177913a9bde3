"""What Tuner may answer to one call, and what becomes of that call while the others go on."""

from collections import Counter
from dataclasses import dataclass

import pytest
from builders import event
from kafka.cluster import Cluster
from system.deployment import Letter, calls, deployment, message, messages
from system.processes import ServiceProcess

from ingestor.devkit.fake_tuner import (
    Delay,
    Dice,
    Drip,
    Fault,
    Latency,
    Options,
    Reply,
    Reset,
    Script,
    Truncate,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

TIMEOUT = 1.0
LATE = 2.5
HASTE = {
    "TUNER_TIMEOUT_SECONDS": str(TIMEOUT),
    "INGESTOR_BACKOFF_BASE_SECONDS": "0.05",
    "INGESTOR_BACKOFF_MAX_SECONDS": "0.5",
    "INGESTOR_MAX_ATTEMPTS": "3",
}
KNOWN = '{"id": 1, "provider_call_id": "a", "is_new": false}'


@dataclass(frozen=True, slots=True)
class Case:
    """What a call meets, one attempt after the other, and how it ends after how many requests.

    *stored* says how often Tuner has it in the end; *status* is that of a refusal.
    """

    name: str
    meets: tuple[Fault, ...]
    ends: str
    requests: int = 1
    stored: int = 1
    status: int | None = None


def accepted(status: int, body: str = "json") -> Case:
    """A status of success."""
    reply = Reply(status, body="json" if body == "json" else "empty", after_commit=True)
    return Case(f"{status} {body}", (reply,), "delivered")


def passing(status: int) -> Case:
    """A failure that does not last."""
    return Case(f"{status} once", (Reply(status),), "delivered", requests=2)


def refused(status: int) -> Case:
    """A status that no further attempt would change."""
    return Case(f"{status} refuses", (Reply(status),), "refused", stored=0, status=status)


CASES = (
    Case("served", (), "delivered"),
    *(accepted(status) for status in (200, 201, 202)),
    *(accepted(status, "empty") for status in (200, 202, 204)),
    Case("409", (Reply(409),), "duplicate", stored=0),
    Case("409 empty", (Reply(409, body="empty"),), "duplicate", stored=0),
    Case("is_new false", (Reply(200, content=KNOWN),), "duplicate", stored=0),
    *map(passing, (408, 425, 500, 502, 503, 504, 507)),
    Case("503 html, twice", (Reply(503, body="html"),) * 2, "delivered", requests=3),
    Case("reset", (Reset(),), "delivered", requests=2),
    Case("reset, but stored", (Reset(after_commit=True),), "delivered", requests=2),
    Case("500, but stored", (Reply(500, after_commit=True),), "delivered", requests=2),
    Case("cut off", (Truncate(),), "delivered", requests=2),
    Case("too slow", (Delay(LATE),), "delivered", requests=2),
    Case("too slow, but stored", (Delay(LATE, after_commit=True),), "delivered", requests=2),
    Case("dripping", (Drip(LATE),), "delivered", requests=2),
    *map(refused, (400, 404, 410, 413, 418, 422)),
)


async def test_each_answer_means_what_it_should(cluster: Cluster) -> None:
    """Accepted, refused, or try again: told from the status, and from what came before it."""
    faults = tuple(Script(call_id=case.name, answers=case.meets) for case in CASES)
    async with deployment(cluster, Options(faults=faults)) as here, here.service(HASTE) as running:
        # A 404 is the call's own fault only on a route that has accepted a call.
        await here.publish([message("proof", event(call_id="proof"))])
        await here.until_finished(running)
        await here.publish(message(case.name, event(call_id=case.name)) for case in CASES)
        await here.until_finished(running)

        letters = {letter.said["call-id"]: letter for letter in await here.letters()}
        assert await counts(running) == Counter(case.ends for case in CASES) + Counter(
            ["delivered"]
        )
        assert (await running.readiness())[0] == 200
    stored = Counter(call.call_id for call in here.tuner.calls)
    assert {case: (here.posted()[case.name], stored[case.name]) for case in CASES} == {
        case: (case.requests, case.stored) for case in CASES
    }
    assert {name: said(letter) for name, letter in letters.items()} == {
        case.name: ("refused", str(case.status), "1", f"Tuner answered {case.status}")
        for case in CASES
        if case.ends == "refused"
    }


@dataclass(frozen=True, slots=True)
class Unlucky:
    """A call that meets the same for ever, what its letter then says of the last attempt."""

    name: str
    meets: Fault
    cause: str
    status: int | None = None


UNLUCKY = (
    Unlucky("always 500", Reply(500), "status_500", 500),
    Unlucky("always reset", Reset(), "disconnected"),
    Unlucky("always too slow", Delay(LATE, answer=Reply(500)), "timeout"),
    Unlucky("always 401", Reply(401), "unauthorized", 401),
    Unlucky("always 403", Reply(403), "forbidden", 403),
    Unlucky("always html", Reply(200, body="html"), "not_tuner", 200),
)


async def test_a_call_that_always_fails_while_others_pass_becomes_a_letter(
    cluster: Cluster,
) -> None:
    """Then the fault is its own, even where it looks like ours; it has as many attempts as the
    settings say, and nobody waits for it.
    """
    always = tuple(Dice(call_id=it.name, share=1.0, fault=it.meets) for it in UNLUCKY)
    options = Options(latency=Latency(median=0.01), faults=always)
    others = 0
    async with deployment(cluster, options) as here, here.service(HASTE) as running:
        await here.publish(message(it.name, event(call_id=it.name)) for it in UNLUCKY)

        async def all_are_dead() -> bool:
            nonlocal others
            await here.publish(messages(calls(20, f"other-{others}")))
            others += 20
            return (await counts(running))["exhausted"] == len(UNLUCKY)

        await running.until(all_are_dead)
        await here.until_finished(running)
        assert (await running.readiness())[0] == 200

    assert here.posted().keys() >= {it.name for it in UNLUCKY}
    assert len(here.tuner.calls) == others
    letters = {letter.said["call-id"]: letter for letter in await here.letters()}
    assert {it.name: last_words(letters[it.name]) for it in UNLUCKY} == {
        it.name: ("exhausted", it.cause, None if it.status is None else str(it.status))
        for it in UNLUCKY
    }
    for name, letter in letters.items():
        # Failures count only where another call was accepted meanwhile: on a busy machine the
        # others come more slowly.
        assert 3 <= int(letter.said["attempts"]) == here.posted()[name] < 30


def last_words(letter: Letter) -> tuple[str, str, str | None]:
    """Take from a letter why, the cause of the last failure, and its status."""
    cause = letter.said["message"].rpartition(": ")[2]
    return letter.reason, cause, letter.said.get("status")


async def counts(running: ServiceProcess) -> Counter[str]:
    """Count the finished records by outcome, dead ones by reason."""
    named = {
        "delivered": {"outcome": "delivered"},
        "duplicate": {"outcome": "duplicate"},
        "refused": {"outcome": "dead", "reason": "refused"},
        "exhausted": {"outcome": "dead", "reason": "exhausted"},
    }
    return +Counter(
        {
            name: int(await running.metric("ingestor_records_total", **labels))
            for name, labels in named.items()
        }
    )


def said(letter: Letter) -> tuple[str, str, str, str]:
    """Take from a letter what it says of the refusal."""
    return (
        letter.reason,
        letter.said["status"],
        letter.said["attempts"],
        letter.said["message"],
    )
