"""`ingestor validate`: what would become of events, without a broker and without Tuner."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import ABSENT, envelope, event, framed, row
from cli.commands import invoke, lines
from settings_builders import COMPLETE

from ingestor.cli.events import split
from ingestor.devkit.sample_calls import Label, sample_calls


def test_events_are_judged_as_the_service_would(tmp_path: Path) -> None:
    """The samples of a real run, all in one file: only Tuner's own word is missing."""
    labels = (Label.GOOD, Label.DUPLICATE, Label.STRUCTURED, Label.INVALID, Label.REFUSED)
    known = [sample for sample in sample_calls(400, seed=5) if sample.label in labels]
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\n\n".join(sample.value or b"" for sample in known))
    invalid = [n for n, sample in enumerate(known) if sample.label is Label.INVALID]

    result = invoke("validate", file, environ=COMPLETE)

    found = [line for line in lines(result.stdout) if line.startswith("invalid ")]
    assert [line.split()[1] for line in found] == [f"calls.jsonl:{2 * n + 1}" for n in invalid]
    summary = f"{len(known) - len(invalid)} good, {len(invalid)} invalid"
    assert lines(result.stdout)[-1] == summary
    assert result.exit_code == 1


URL = "https://api.usetuner.ai/api/v1/public/call?workspace_id=7&agent_remote_identifier="
OTHER = {"INGESTOR_EVENT_TYPES": "com.example.call.ended"}


@pytest.mark.parametrize(
    ("value", "settings", "said"),
    [
        (event(), {}, ["good e.json would be posted to " + URL + "front-desk"]),
        (
            event(workspace_id=7, agent_remote_identifier="a&b"),
            {},
            ["good e.json would be posted to " + URL + "a%26b"],
        ),
        (framed(event()), {}, ["good e.json would be posted to " + URL + "front-desk"]),
        (
            event(recording_url=ABSENT),
            {"INGESTOR_RECORDING_URL": "pending"},
            [
                "good e.json would be posted to " + URL + "front-desk",
                "advice: recording_url: is a placeholder: Tuner has nothing to play",
            ],
        ),
        (
            json.dumps(envelope(type="com.example.other")).encode(),
            OTHER,
            ["ignored e.json would be ignored (event_type)"],
        ),
        (
            event(call_id="", call_type=7),
            {},
            [
                "invalid e.json would become a dead letter",
                "wrong: call_id: must be a string of 1 to 200 characters",
                "wrong: call_type: must be a string of 1 to 100 characters",
            ],
        ),
        (
            event(workspace_id="north"),
            {},
            [
                "no_route e.json would become a dead letter",
                "wrong: workspace_id: must be a whole number",
            ],
        ),
        (
            event(call_id="x" * 3_000),
            {"INGESTOR_MAX_EVENT_BYTES": "3000"},
            [
                "too_large e.json would become a dead letter",
                "wrong: the event has 3278 bytes; at most 3000 are taken",
            ],
        ),
    ],
)
def test_an_event_is_explained(
    tmp_path: Path, value: bytes, settings: Mapping[str, str], said: list[str]
) -> None:
    """What would become of it, where it would go, each problem with its place, and advice."""
    file = tmp_path / "e.json"
    file.write_bytes(value)

    result = invoke("validate", file, environ={**COMPLETE, **settings})

    *found, summary = [line.replace("e.json:1", "e.json") for line in lines(result.stdout)]
    kind = said[0].partition(" ")[0]
    assert found == said
    assert summary == f"1 {kind}"
    assert result.exit_code == (0 if kind in ("good", "ignored") else 1)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b'{"a": 1}', ["f"]),
        (b'\n {"a":\n 1}\n', ["f"]),
        (b'[{"a": 1}, 2,\n {"b": "c"}]', ["f[0]", "f[1]", "f[2]"]),
        (b'\xef\xbb\xbf[{"a": 1}]', ["f[0]"]),
        (b'{"a": 1}\n\n{"b": 2}\r\nnonsense\n', ["f:1", "f:3", "f:4"]),
        (b'{"a": 1\n{"b": 2}', ["f:1", "f:2"]),
        (b"nonsense\nand more", ["f:1", "f:2"]),
        (b'{\n "a": NaN,\n "b": [\n  {"c": 1},\n ]\n}', ["f"]),
        (b"[" * 2_000, ["f"]),
        (framed(b'{"a": 1}', 10), ["f"]),
        ('{"a":\n1}'.encode("utf-16"), ["f"]),
        (b" \n ", []),
        (b"[]", []),
    ],
)
def test_a_file_holds_one_event_an_array_or_one_a_line(text: bytes, places: list[str]) -> None:
    """What was written as one event stays one, also where it is broken or no text at all."""
    events = list(split("f", text))

    assert [event.place for event in events] == places
    if places == ["f"]:
        assert events[0].value == text.strip()


def test_events_come_from_several_files_and_from_standard_input(tmp_path: Path) -> None:
    """In the order in which they are named."""
    file = tmp_path / "one.json"
    file.write_bytes(event())

    result = invoke("validate", file, "-", environ=COMPLETE, stdin=b"[1, 2]")

    found = [line.split()[:2] for line in lines(result.stdout) if " would " in line]
    assert found == [["good", "one.json"], ["malformed", "-[0]"], ["malformed", "-[1]"]]
    assert lines(result.stdout)[-1] == "1 good, 2 malformed"


def test_no_events_are_no_problem(tmp_path: Path) -> None:
    """An empty file says nothing wrong."""
    file = tmp_path / "empty.jsonl"
    file.touch()

    result = invoke("validate", file, environ=COMPLETE)

    assert (result.exit_code, result.output) == (0, "no events\n")


def test_without_settings_only_the_route_is_open(tmp_path: Path) -> None:
    """A publisher has no key and need not know where calls go; what is wrong is told as ever."""
    file = tmp_path / "calls.jsonl"
    file.write_bytes(event() + b"\n" + event(call_type=None) + b"\n")

    result = invoke("validate", file)

    good, bad, *_, summary = lines(result.stdout)
    assert good == "good calls.jsonl:1 would be posted, once the settings say where"
    assert bad == "invalid calls.jsonl:2 would become a dead letter"
    assert summary == "1 good, 1 invalid"


def test_a_workspace_alone_does_not_make_a_route(tmp_path: Path) -> None:
    """What the settings do say is used: the agent is missing, but for an event that names it."""
    file = tmp_path / "calls.jsonl"
    file.write_bytes(event() + b"\n" + event(agent_remote_identifier="own") + b"\n")

    result = invoke("validate", file, environ={"TUNER_WORKSPACE_ID": "7"})

    assert lines(result.stdout) == [
        "good calls.jsonl:1 would be posted, once the settings say where",
        "good calls.jsonl:2 would be posted to " + URL + "own",
        "2 good",
    ]


def test_bad_settings_are_not_done_without(tmp_path: Path) -> None:
    """All of them at once, as by every command, and no event is looked at."""
    file = tmp_path / "e.json"
    file.write_bytes(event())

    result = invoke("validate", file, environ={"TUNER_WORKSPACE_ID": "north", "KAFKA_TOPIC": "a"})

    assert (result.exit_code, result.stdout) == (2, "")
    named = [line.split(":")[0] for line in lines(result.stderr)]
    assert named == ["problem KAFKA_TOPIC", "problem TUNER_WORKSPACE_ID"]


@pytest.mark.parametrize("command", ["validate", "publish"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, command: str) -> None:
    """A mistake in a name is wrong usage, not a bad event."""
    result = invoke(command, tmp_path / "nothing.json", environ=COMPLETE)

    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr == f"{tmp_path / 'nothing.json'} cannot be read: No such file or directory\n"
    )


def test_no_value_of_an_event_is_shown(tmp_path: Path) -> None:
    """Events are private, and outputs are pasted into tickets."""
    marker = "marker-5f0e"
    file = tmp_path / "calls.jsonl"
    broken: list[Mapping[str, Any]] = [
        {"call_type": 7, "caller_phone_number": [marker], "metadata": {marker: {marker: marker}}},
        {"transcript_with_tool_calls": [row(role=marker, text=marker), row(end_ms=None)]},
        {"user_sentiment": marker, "recording_url": "pending", "agent_version": marker},
        {"workspace_id": marker},
        {"start_timestamp": marker},
    ]
    texts = [event(**{"metadata": {"word": marker}, **fields}) for fields in broken]
    file.write_bytes(b"\n".join([*texts, texts[0][:-30], b'"' + marker.encode() + b'"']))

    result = invoke("validate", file, environ=COMPLETE)

    assert len([line for line in lines(result.stdout) if " would " in line]) == len(broken) + 2
    assert marker not in result.output


def test_an_output_that_speaks_no_utf_8_is_no_obstacle(tmp_path: Path) -> None:
    """A file's name may have any characters, a build machine any locale."""
    file = tmp_path / "anrufe-ä.json"
    file.write_bytes(event())
    environ = COMPLETE | {"PATH": "", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, "-m", "ingestor", "validate", file],
        env=environ,
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"good ")
    assert done.stdout.isascii()
