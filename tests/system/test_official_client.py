"""Bodies that Tuner's official client makes go through unchanged."""

import json

import pytest
from kafka.cluster import Cluster
from system.deployment import deployment, message
from tuner_core import CallPayload, TunerConfig
from tuner_core.client import submit_call
from tuner_core.models import AiModels, GeneralMetaData, ToolInfo, TranscriptSegment, UsageToken

from ingestor.devkit.fake_tuner import DEMO_KEY, FakeTuner

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

META = GeneralMetaData(ai_models=AiModels(), usage_token=UsageToken())
HELLO = TranscriptSegment(role="agent", text="Grüß Gott 👋", start_ms=0, end_ms=900)
SPOKEN = TranscriptSegment(
    role="user", text="", start_ms=1_000, duration_ms=800, metadata={"stt_node_ttfb": 0.25}
)
TOOL = TranscriptSegment(
    role="agent_function",
    start_ms=1_900,
    tool=ToolInfo(name="look_up", request_id="t1", params={"id": 7}, start_ms=1_900),
)
RESULT = TranscriptSegment(
    role="agent_result",
    start_ms=2_400,
    tool=ToolInfo(name="look_up", request_id="t1", result={"ok": None}, is_error=False),
)
STEP = TranscriptSegment(role="node_transition", start_ms=0, node={"from": None, "to": "greet"})
TIMES = {"start_timestamp": 1781108000, "end_timestamp": 1781108062, "duration_ms": 62_000}
PAYLOADS = (
    CallPayload(
        call_id="least",
        call_type="web_call",
        recording_url="pending",
        transcript_with_tool_calls=[HELLO],
        general_meta_data_raw=META,
        **TIMES,
    ),
    CallPayload(
        call_id="most",
        call_type="phone_call",
        recording_url="pipecat://no-recording",
        transcript_with_tool_calls=[STEP, HELLO, SPOKEN, TOOL, RESULT],
        general_meta_data_raw=GeneralMetaData.model_validate(
            {
                "ai_models": AiModels(llm_model="large"),
                "usage_token": UsageToken(stt_duration_seconds=61.5, llm_token=900),
                "region": "eu",
            }
        ),
        disconnection_reason="user_hangup",
        call_cost=10.25,
        agent_version=3,
        sip_call_id="abc@host",
        sip_headers={"X-Correlation-Id": "0f" * 16},
        recipient="+15550100",
        recording_file_extension="wav",
        recording_s3_multi_channel=True,
        recording_s3_caller_channel=0,
        llm_trace={},
        **TIMES,
    ),
)


async def test_its_bodies_pass_byte_for_byte(cluster: Cluster) -> None:
    """What it would have posted itself is what Tuner gets through us, and is taken all the same."""
    async with deployment(cluster) as here, here.service() as running:
        bodies = {
            payload.call_id: json.dumps(payload.to_dict(), default=str).encode()
            for payload in PAYLOADS
        }
        await here.publish(message(name, value) for name, value in bodies.items())
        await here.until_finished(running)
        assert await running.metric("ingestor_records_total", outcome="delivered") == len(PAYLOADS)

    async with FakeTuner().serve() as direct:
        config = TunerConfig(
            api_key=DEMO_KEY, workspace_id=1, agent_id="front-desk", base_url=direct.url
        )
        for payload in PAYLOADS:
            await submit_call(payload, config)
    assert here.bodies() == {call.call_id: call.body for call in direct.calls} == bodies
