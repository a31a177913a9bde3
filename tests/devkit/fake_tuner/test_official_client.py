"""Tuner's own client library against the fake one."""

import asyncio
from typing import Any

import pytest
from devkit.fake_tuner.practice import only_call
from tuner_core import CallPayload, TunerConfig, TunerSession, upload_recording
from tuner_core.client import submit_call
from tuner_core.models import AiModels, GeneralMetaData, TranscriptSegment, UsageToken

from ingestor.devkit.fake_tuner import DEMO_KEY, FakeTuner, Options, Reply, Script

PAYLOAD = CallPayload(
    call_id="core-1",
    call_type="web_call",
    start_timestamp=1781108000,
    end_timestamp=1781108062,
    recording_url="pending",
    duration_ms=62000,
    transcript_with_tool_calls=[
        TranscriptSegment(role="agent", text="Hello.", start_ms=0, end_ms=900, duration_ms=900)
    ],
    general_meta_data_raw=GeneralMetaData(ai_models=AiModels(), usage_token=UsageToken()),
    recording_file_extension="wav",
)


def config(tuner: FakeTuner, **changes: Any) -> TunerConfig:
    known: dict[str, Any] = {
        "api_key": DEMO_KEY,
        "workspace_id": 7,
        "agent_id": "front-desk",
        "base_url": tuner.url,
        "max_retries": 1,
        **changes,
    }
    return TunerConfig(**known)


async def test_it_submits_a_call(tuner: FakeTuner) -> None:
    """What the client sends is accepted and stored in milliseconds."""
    answer = await submit_call(PAYLOAD, config(tuner))

    assert answer is not None
    assert (answer["id"], answer["provider_call_id"], answer["is_new"]) == (1, "core-1", True)
    assert only_call(tuner)["start_timestamp"] == 1781108000000
    (stored,) = tuner.calls
    assert (stored.workspace_id, stored.agent) == (7, "front-desk")


async def test_it_takes_a_conflict_for_delivered(tuner: FakeTuner) -> None:
    """A 409 ends its attempts."""
    for _ in range(2):
        await submit_call(PAYLOAD, config(tuner))

    assert [entry.status for entry in tuner.requests] == [201, 409]
    assert tuner.requests[0].sha256 == tuner.requests[1].sha256


async def test_it_tries_again_after_a_503() -> None:
    """The second attempt, about a second later, is the one that is stored."""
    async with FakeTuner(Options(faults=(Script(answers=(Reply(503),)),))).serve() as tuner:
        answer = await submit_call(PAYLOAD, config(tuner))

        assert answer is not None
        first, second = tuner.requests
        assert (first.status, second.status) == (503, 201)
        assert first.answered is not None
        assert second.arrived - first.answered >= 0.99


async def test_it_gives_up_on_a_bad_key(tuner: FakeTuner) -> None:
    """A 401 is not tried again."""
    assert await submit_call(PAYLOAD, config(tuner, api_key="tr_api_wrong")) is None

    assert [entry.status for entry in tuner.requests] == [401]


async def test_its_session_delivers_a_timed_conversation(tuner: FakeTuner) -> None:
    """A session with a timed turn passes the timing rule, and its usage arrives."""
    session = TunerSession(config=config(tuner, llm_model="m-1"), call_id="session-1")
    session._record_user_turn("Hello?", 100, duration_ms=400)  # noqa: SLF001 - as handlers do
    session._record_llm_usage(10, 5)  # noqa: SLF001 - as handlers do

    assert await session.flush() is not None
    assert only_call(tuner)["transcript"] == "user: Hello?"
    assert only_call(tuner)["general_meta_data_raw"]["usage_token"]["llm_token"] == 15


@pytest.mark.parametrize("audio", [b"RIFF" + bytes(5000), b""])
async def test_it_uploads_a_recording(audio: bytes, tuner: FakeTuner) -> None:
    """The target in the answer is one the client can use."""
    answer = await submit_call(PAYLOAD, config(tuner))

    assert await upload_recording(answer, audio, config(tuner))
    (recording,) = tuner.recordings
    assert (recording.call, recording.content) == (1, audio)


async def test_many_of_them_at_once(tuner: FakeTuner) -> None:
    """Parallel clients with one call_id store it once."""
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(submit_call(PAYLOAD, config(tuner)))

    assert sorted(entry.status or 0 for entry in tuner.requests) == [201, 409, 409, 409, 409]
