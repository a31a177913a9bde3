"""Uploading recordings as S3 takes them."""

from typing import Any

import aiohttp
import pytest
from devkit.fake_tuner.practice import call, post

from ingestor.devkit.fake_tuner import FakeTuner, Options

AUDIO = b"RIFF" + bytes(2000)


async def target_of(http: aiohttp.ClientSession, tuner: FakeTuner, extension: str = "wav") -> Any:
    answered = await post(http, tuner, call(recording_file_extension=extension))
    return answered.json["recording_upload"]


def form(fields: dict[str, str], content: bytes | None = AUDIO) -> aiohttp.MultipartWriter:
    written = aiohttp.MultipartWriter("form-data")
    for name, value in fields.items():
        written.append(value).set_content_disposition("form-data", name=name)
    if content is not None:
        written.append(content).set_content_disposition(
            "form-data", name="file", filename="call.wav"
        )
    return written


async def upload(
    http: aiohttp.ClientSession, url: str, body: aiohttp.MultipartWriter
) -> tuple[int, str]:
    async with http.post(url, data=body) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("extension", "content_type"),
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("xyz", "application/octet-stream")],
)
async def test_an_extension_asks_for_a_target(
    extension: str, content_type: str, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """The answer says where, with which fields, and how much may be uploaded."""
    target = await target_of(http, tuner, extension)

    assert target["url"].startswith(tuner.url)
    assert target["key"] == target["fields"]["key"] == f"1/1.{extension}"
    assert target["content_type"] == content_type
    assert target["max_bytes"] == 10 * 1024 * 1024


async def test_a_recording_is_uploaded(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """The policy's fields first and the file last are taken, and kept."""
    target = await target_of(http, tuner)

    assert await upload(http, target["url"], form(target["fields"])) == (204, "")

    (recording,) = tuner.recordings
    assert (recording.key, recording.call, recording.content) == ("1/1.wav", 1, AUDIO)


async def test_a_known_call_is_offered_its_target_again(http: aiohttp.ClientSession) -> None:
    """Where a duplicate is no conflict, it gets the same target."""
    async with FakeTuner(Options(duplicates="is_new_false")).serve() as tuner:
        assert await target_of(http, tuner) == await target_of(http, tuner)


@pytest.mark.parametrize(
    ("options", "extension"),
    [
        (Options(), None),
        (Options(), ""),
        (Options(recording_max_bytes=None), "wav"),
        (Options(profile="strict-feb"), "wav"),
    ],
    ids=["not asked for", "asked for nothing", "not offered", "not known"],
)
async def test_nobody_is_offered_what_they_did_not_ask_for(
    options: Options, extension: str | None, http: aiohttp.ClientSession
) -> None:
    """Without an extension, an offer or the field itself there is no target."""
    async with FakeTuner(options).serve() as tuner:
        answered = await post(http, tuner, call(recording_file_extension=extension))

        assert (answered.status, "recording_upload" in answered.json) == (201, False)


async def refusal_of(
    http: aiohttp.ClientSession, tuner: FakeTuner, body: aiohttp.MultipartWriter
) -> tuple[int, str]:
    status, text = await upload(http, f"{tuner.url}/_standin/recordings", body)
    assert tuner.recordings == []
    return status, text.partition("<Code>")[2].partition("</Code>")[0]


async def test_the_file_must_come_last(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """A field behind the file would be overlooked by S3."""
    fields = (await target_of(http, tuner))["fields"]
    late = form(fields)
    late.append("late").set_content_disposition("form-data", name="late")

    assert await refusal_of(http, tuner, late) == (400, "InvalidArgument")


async def test_a_form_needs_a_file(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """Fields alone are no upload."""
    fields = (await target_of(http, tuner))["fields"]

    assert await refusal_of(http, tuner, form(fields, None)) == (400, "InvalidArgument")


@pytest.mark.parametrize("change", [{"key": "1/9.wav"}, {"policy": "e30="}, {"Content-Type": "x"}])
async def test_the_fields_must_be_those_of_the_target(
    change: dict[str, str], http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Another key, policy or type was not signed."""
    fields = (await target_of(http, tuner))["fields"]

    assert await refusal_of(http, tuner, form(fields | change)) == (403, "AccessDenied")


async def test_a_field_must_not_be_left_out(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """All fields have to come."""
    fields = (await target_of(http, tuner))["fields"]
    del fields["x-amz-signature"]

    assert await refusal_of(http, tuner, form(fields)) == (403, "AccessDenied")


async def test_a_recording_can_be_too_large(http: aiohttp.ClientSession) -> None:
    """What exceeds the policy is refused, to the byte."""
    options = Options(recording_max_bytes=200_000)
    async with FakeTuner(options).serve() as tuner:
        target = await target_of(http, tuner)

        over = form(target["fields"], bytes(200_001))
        assert await refusal_of(http, tuner, over) == (400, "EntityTooLarge")
        far_over = form(target["fields"], bytes(900_000))
        assert await refusal_of(http, tuner, far_over) == (400, "EntityTooLarge")
        just = form(target["fields"], bytes(200_000))
        assert (await upload(http, target["url"], just))[0] == 204


async def test_a_form_within_a_form_is_refused(
    http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Parts have no parts."""
    outer = aiohttp.MultipartWriter("form-data")
    outer.append(form({"key": "x"})).set_content_disposition("form-data", name="inner")

    assert await refusal_of(http, tuner, outer) == (400, "MalformedPOSTRequest")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 412),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"no boundary at all", 400),
    ],
)
async def test_what_is_no_form_is_refused(
    content_type: str, body: bytes, status: int, http: aiohttp.ClientSession, tuner: FakeTuner
) -> None:
    """Other types, and forms that cannot be read, are answered all the same."""
    url = f"{tuner.url}/_standin/recordings"
    async with http.post(url, data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == status


async def test_recordings_can_be_forgotten(http: aiohttp.ClientSession, tuner: FakeTuner) -> None:
    """A reset takes the offers back, too."""
    target = await target_of(http, tuner)
    await upload(http, target["url"], form(target["fields"]))

    tuner.reset()

    assert tuner.recordings == []
    assert (await upload(http, target["url"], form(target["fields"])))[0] == 403
