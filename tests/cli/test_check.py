"""`ingestor check`: every value with its source, or every problem at once."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from settings_builders import COMPLETE, SASL, SECRET
from settings_builders import good as good_settings
from typer.testing import CliRunner, Result

from ingestor.cli.check import check, show_settings
from ingestor.cli.environment import read_settings
from ingestor.settings import Problems, Settings

PREFIXES = ("KAFKA_", "TUNER_", "INGESTOR_")
# With these set, a test machine lets rich believe that it writes to a terminal.
TERMINAL = dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"))
PROGRAM = typer.Typer()
PROGRAM.command()(check)


def run(environ: Mapping[str, str], *arguments: str) -> Result:
    """Run the command with *environ* alone: what the machine sets for other tests is taken away."""
    taken_away = {name: None for name in os.environ if name.startswith(PREFIXES)}
    return CliRunner().invoke(PROGRAM, arguments, env=taken_away | TERMINAL | dict(environ))


def test_good_settings_are_shown_with_their_sources(tmp_path: Path) -> None:
    """The first question of an operator: what is it, and who said so?"""
    config = tmp_path / "config.toml"
    config.write_text('[kafka]\ntopics = ["a", "b"]\n')
    key = tmp_path / "key"
    key.write_text(SECRET)
    environ = COMPLETE | {
        "TUNER_API_KEY": "",
        "TUNER_API_KEY_FILE": str(key),
        "KAFKA_PORT": "tcp://x",
    }

    result = run(environ, "--config", str(config))

    lines = [" ".join(line.replace("│", " ").split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert "KAFKA_TOPICS a, b config file" in lines
    assert "KAFKA_BOOTSTRAP_SERVERS broker:9092 environment" in lines
    assert "KAFKA_GROUP_ID tuner-ingestor default" in lines
    assert "TUNER_API_KEY ******** file TUNER_API_KEY_FILE" in lines
    assert "warning KAFKA_PORT: is set by Kubernetes for a Service: ignored" in lines
    assert lines[-1] == "settings are good"
    assert SECRET not in result.output


def test_a_row_stays_one_line_where_nothing_wraps() -> None:
    """In a log or a pipe a value can then be searched for as a whole."""
    result = run(COMPLETE | {"TUNER_AGENT_ID": "x" * 300})

    assert "x" * 300 in result.stdout


def test_every_problem_is_one_line_and_exits_with_2() -> None:
    """Standard output stays clean for those who read it; the code tells a script."""
    result = run({"KAFKA_TOPIC": "a", "KAFKA_HOME": "b", "TUNER_API_KEY": f"Bearer {SECRET}"})

    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "problem  KAFKA_TOPIC",
        "problem  TUNER_API_KEY",
        "problem  KAFKA_BOOTSTRAP_SERVERS",
        "problem  TUNER_WORKSPACE_ID",
        "problem  TUNER_AGENT_ID",
        "warning  KAFKA_HOME",
    ]
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file or directory"),
        ("[kafka]\ntopics = nothing\n", "not valid TOML, line 2, column 10"),
    ],
)
def test_an_unusable_config_file_is_told_by_its_name(
    tmp_path: Path, content: str | None, why: str
) -> None:
    """Also the place in it, for an editor to go to."""
    config = tmp_path / "config.toml"
    if content is not None:
        config.write_text(content)

    result = run(COMPLETE, "--config", str(config))

    assert result.exit_code == 2
    assert f"problem  config file: {config} cannot be used: {why};" in result.stderr


def test_settings_are_read_without_printing(tmp_path: Path) -> None:
    """The other commands decide for themselves what to say."""
    config = tmp_path / "config.toml"
    config.write_text("[nothing]\n")

    outcome = read_settings(config)

    assert isinstance(outcome, Problems)
    assert "nothing" in {problem.name for problem in outcome.problems}


ROUTES = """
[credential.acme]
api_key = "acme-s3cr3t-7c1e"
base_url = "https://eu.example"
[[route]]
topic = "calls.[ab]*"
field = "metadata.tenant"
values = ["äcme", 2, true]
workspace_id = 9
credential = "acme"
[[route]]
topic = "*"
"""


def routed(tmp_path: Path) -> Settings:
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES)
    changes = {"INGESTOR_ROUTES_FILE": str(path), "TUNER_WORKSPACE_ID": "", "TUNER_AGENT_ID": ""}
    return good_settings(changes | {"KAFKA_TOPICS": "calls.a"})


def shown(outcome: Settings, console: Console) -> list[str]:
    show_settings(outcome, console)
    assert isinstance(console.file, io.StringIO)
    return [
        " ".join(line.replace("│", " ").split()) for line in console.file.getvalue().splitlines()
    ]


def test_routes_and_credentials_are_shown(tmp_path: Path) -> None:
    """Square brackets stand as they are written: they are patterns, not markup."""
    lines = shown(routed(tmp_path), Console(file=io.StringIO(), width=200, force_terminal=False))

    assert "acme both https://eu.example" in lines
    assert '1 calls.[ab]* metadata.tenant = "äcme" or 2 or true 9 the event\'s acme' in lines
    assert "2 * any the event's the event's default" in lines
    assert SECRET not in "".join(lines)


def test_a_narrow_terminal_wraps_instead_of_cutting(tmp_path: Path) -> None:
    """No end of a value may be lost: it may be the part that is wrong."""
    settings = good_settings({"TUNER_AGENT_ID": "x" * 300})
    narrow = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)

    lines = shown(settings, narrow)

    assert sum(line.count("x" * 5) for line in lines) > 0
    assert "".join(lines).count("x") >= 300
    assert max(map(len, lines)) <= 60
    assert shown(routed(tmp_path), narrow)


def test_a_value_cannot_command_the_terminal_nor_stop_the_output() -> None:
    """Names come from the environment as they are, and not every output speaks UTF-8."""
    settings = good_settings({"KAFKA_\x1b[2J\udcff": "x", "TUNER_AGENT_ID": "büro [red]"})
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, encoding="ascii", write_through=True)

    show_settings(settings, Console(file=ascii_only, force_terminal=False))

    text = raw.getvalue().decode("ascii")
    assert "\x1b" not in text
    assert "KAFKA_\\x1b[2J\\udcff: is not a setting" in text
    assert "b\\xfcro [red]" in text


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from(["TUNER_API_KEY", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_KEY_PASSWORD"]),
        st.text(st.characters(blacklist_characters="\0", codec="utf-8")).map(
            lambda tail: f"{SECRET}{tail}"
        ),
        min_size=1,
    )
)
def test_no_secret_is_ever_printed(secrets: dict[str, str]) -> None:
    """Neither where settings are good nor where they are refused."""
    result = run(COMPLETE | SASL | {"KAFKA_SASL_USERNAME": "reader"} | secrets)

    assert result.exit_code in {0, 2}
    assert SECRET not in result.output


def test_the_command_runs_as_a_process() -> None:
    """A real environment, real streams, a real exit code."""
    environ = COMPLETE | {"PATH": os.environ["PATH"], "LC_ALL": "C", "TUNER_AGENT_ID": "büro"}

    # The interpreter and its arguments are this test's own.
    done = subprocess.run(
        [sys.executable, "-m", "ingestor", "check"],
        env=environ,
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"settings are good" in done.stdout
    assert SECRET.encode() not in done.stdout
