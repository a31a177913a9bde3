"""What the command line offers, and the commands that need neither a broker nor Tuner."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from builders import ABSENT, body
from cli.commands import invoke, lines

from ingestor import __version__
from ingestor.devkit.sample_calls import Label, SampleEvent, sample_calls

COMMANDS = ("run", "check", "validate", "publish", "schema", "fake-tuner", "demo", "dlq")


def test_the_version_is_told() -> None:
    """The first thing a report of a problem has to say."""
    result = invoke("--version")

    assert (result.exit_code, result.output) == (0, f"ingestor {__version__}\n")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_every_command_is_listed(arguments: tuple[str, ...]) -> None:
    """Whoever does not know where to begin is told; only help that was asked for is a success."""
    result = invoke(*arguments)

    assert result.exit_code == (0 if arguments else 2)
    _, _, listed = result.output.partition("Commands")
    words = [line.removeprefix("│ ").partition(" ")[0] for line in lines(listed)]
    assert [word for word in dict.fromkeys(words) if word in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """With a first sentence that says what it does."""
    result = invoke(command, "--help")

    assert result.exit_code == 0
    assert f"Usage: ingestor {command}" in " ".join(lines(result.output))


def test_an_unknown_command_is_wrong_usage() -> None:
    """As everywhere: 2, and the word on standard error."""
    result = invoke("validat")

    assert result.exit_code == 2
    assert "No such command 'validat'" in result.stderr


def test_the_command_runs_as_a_process() -> None:
    """Under the name that is installed, and as a module."""
    names = [str(Path(sys.executable).with_name("ingestor"))], [sys.executable, "-m", "ingestor"]
    for name in names:
        done = subprocess.run(  # noqa: S603 - a command of our own
            [*name, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"ingestor {__version__}\n", "")


# schema


def validator(*arguments: str) -> jsonschema.Draft202012Validator:
    """Read the schema that the command prints."""
    result = invoke("schema", *arguments)
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def samples(label: Label) -> list[SampleEvent]:
    """Take the sample events of one *label*."""
    return [sample for sample in sample_calls(400, seed=3) if sample.label is label]


def test_the_schema_takes_good_events_and_no_bad_ones() -> None:
    """A publisher who follows it is safe, whatever tool reads it."""
    schema = validator()

    for sample in samples(Label.GOOD):
        schema.validate(json.loads(sample.value or b""))
    for sample in (*samples(Label.INVALID), *samples(Label.REFUSED)):
        assert not schema.is_valid(json.loads(sample.value or b"")), sample


def test_the_schema_asks_for_a_recording_unless_one_is_supplied() -> None:
    """INGESTOR_RECORDING_URL is the deployer's word, so the publisher has to say that it is set."""
    without = body(recording_url=ABSENT)

    assert not validator().is_valid(without)
    assert not validator().is_valid(body(recording_url=None))
    assert validator("--placeholder").is_valid(without)
    assert validator("--placeholder").is_valid(body(recording_url=None))
