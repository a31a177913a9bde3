"""The README says what the code does: its tables are compared, its examples are run."""

import ast
import json
import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

import jsonschema
import pytest
import typer

from ingestor import assembly
from ingestor.cli.app import cli
from ingestor.core.call import Call
from ingestor.core.decoder import Decoder, Reading
from ingestor.core.letter import letter
from ingestor.core.outcome import Dead, Reason, Tries
from ingestor.core.parts import cut
from ingestor.core.problem import Problem
from ingestor.core.record import Damage, Partition, Record
from ingestor.core.route import Destination, Route
from ingestor.core.schema import schema
from ingestor.edge.metrics import Metrics, Readings
from ingestor.settings import Settings, describe, load

TESTS = Path(__file__).parent
README = (TESTS.parent / "README.md").read_text()
FAILURES = "What happens when things fail"
IMAGE = (TESTS.parent / "compose/Dockerfile").read_text()


def section(title: str) -> str:
    """Give the text under a heading."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """Give the cells of a table's rows, without its head."""
    for line in text.splitlines():
        if line.startswith("|") and not re.match(r"\|[-| ]+\|$", line):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def example(language: str, *, under: str) -> str:
    """Give the first code block of *language* in a section."""
    found = re.search(rf"```{language}\n(.*?)```", section(under), re.DOTALL)
    assert found is not None
    return found.group(1)


def unshown(table: str, tests: Collection[str]) -> list[str]:
    """Give what the rows of *table* are about of which the last cell does not name some of *tests*,
    and nothing else.
    """
    return [
        when
        for when, *_, cell in list(rows(table))[1:]
        if not (names := re.findall(r"`([^`]*)`", cell)) or not set(names).issubset(tests)
    ]


def names_of_tests() -> set[str]:
    """Name every test in this folder and below it."""
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def environ() -> dict[str, str]:
    """Give the five variables of the example."""
    return dict(re.findall(r"^export (\w+)=(\S+)$", example("sh", under="Deploy"), re.MULTILINE))


def test_two_commands_stand_at_the_top() -> None:
    """One runs the demo, one runs the tests; each makes its own environment."""
    commands = [
        line.strip() for line in README.splitlines() if line.startswith("    python3 -m venv")
    ]

    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[demo]' && .venv/bin/ingestor demo",
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest",
    ]


def test_the_settings_table_is_the_settings() -> None:
    """Every setting is there, in order, with its default and its meaning."""
    expected = [
        [
            f"`{setting.name}`",
            "**required**"
            if setting.default == "required"
            else "none"
            if setting.default == "none"
            else f"`{setting.default}`",
            setting.description + (" (secret)" if setting.is_secret else ""),
        ]
        for setting in describe()
    ]

    assert list(rows(section("Settings")))[1:] == expected


def test_the_five_variables_are_enough() -> None:
    """What the deployer is told to export is accepted as it stands."""
    assert len(environ()) == 5
    assert isinstance(load(environ()), Settings)


def test_the_event_is_posted_byte_for_byte_and_fits_the_schema() -> None:
    """The example is an event that a publisher can copy."""
    text = example("json", under="Publish an event").encode()

    call = Decoder(Reading()).decode(Record(Partition("call-ended", 0), 0, 0, None, text))

    assert isinstance(call, Call)
    assert call.body == text
    jsonschema.validate(json.loads(text), schema())


def test_the_routes_file_routes(tmp_path: Path) -> None:
    """The example routes by topic and by field, each with the credential it names."""
    key = tmp_path / "acme"
    key.write_text("tr_api_acme\n")
    text = example("toml", under="Publish an event").replace("/run/secrets/acme", str(key))
    assert len(tomllib.loads(text)["route"]) == 2
    (tmp_path / "routes.toml").write_text(text)
    settings = load(environ() | {"INGESTOR_ROUTES_FILE": str(tmp_path / "routes.toml")})
    assert isinstance(settings, Settings)
    router = assembly.router(settings)

    def route(topic: str, tenant: str) -> Route | Dead:
        body = f'{{"metadata":{{"tenant":"{tenant}"}}}}'.encode()
        return router.route(Record(Partition(topic, 0), 0, 0, None, body), Call("a", body))

    default = Destination("https://api.usetuner.ai", "default")
    acme = Destination("https://api.usetuner.ai", "acme")
    assert route("calls.acme.eu", "beta") == Route(acme, "7", "front-desk")
    assert route("call-ended", "gamma") == Route(default, "8", "front-desk")
    assert route("call-ended", "delta") == Route(default, "42", "front-desk")


def test_the_metrics_table_is_the_metrics() -> None:
    """Every metric that Prometheus is shown is there, and no other."""
    metrics = Metrics("1")
    zero = int
    metrics.read(Readings(zero, zero, zero, zero, bool))
    shown = set(re.findall(r"^# TYPE (\w+) ", metrics.text().decode(), re.MULTILINE))

    told = {
        name
        for cells in rows(section("Watching it"))
        for name in re.findall(r"`(ingestor_\w+)", cells[0])
    }

    assert told == shown


def test_the_commands_table_is_the_commands() -> None:
    """Every command is there, and those of a group each for itself."""
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    names = {
        f"{name} {part}".strip()
        for name, command in commands.items()
        for part in getattr(command, "commands", ("",))
    }

    told = {
        name
        for cells in rows(section("Commands"))
        for name in re.findall(r"`ingestor ([\w -]+)`", cells[0])
    }

    assert told == names


def test_every_failure_has_a_test_that_shows_it() -> None:
    """Each row of the table names one that is there, or several."""
    table = section(FAILURES)

    assert next(rows(table)) == ["when", "then", "shown by"]
    assert unshown(table, names_of_tests()) == []


@pytest.mark.parametrize("cell", ["", "a test", "`test_b`", "`test_a`, `test_misspelt`"])
def test_a_failure_that_no_test_shows_is_found(cell: str) -> None:
    """Nothing is named, or a test that is not there."""
    table = f"| when | then | shown by |\n|---|---|---|\n| x | y | `test_a` |\n| z | y | {cell} |"

    assert unshown(table, {"test_a"}) == ["z"]


def test_the_letters_headers_are_told() -> None:
    """Every header that a letter can have is there, and every reason."""
    dead = Dead(Reason.REFUSED, "m", (Problem("a", "b"),), 422, Tries(1, 1.0, 2.0), "c")
    record = Record(Partition("t", 0), 0, 0, None, b"", damage=Damage(1, "m"))
    route = Route(Destination("https://t.example", "default"), "1", "a")
    written = letter(record, dead, route, version="1")

    table = "\n".join(line for line in section("Dead letters").splitlines() if line.startswith("|"))

    assert set(re.findall(r"`(ingestor-[\w-]+)`", table)) == {
        name for part in cut(written, 2) for name, _ in part.headers
    }
    reasons = {reason.value for reason in Reason}
    assert set(re.findall(r"`(\w+)`", next(rows(table))[1] + table.splitlines()[2])) >= reasons


def test_the_image_has_the_python_that_tests_run_on() -> None:
    """Which is the oldest that will do, and the one that both commands at the top ask for."""
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
    version = re.search(r"with nothing but Python ([\d.]+)", README)

    assert version is not None
    assert project["requires-python"] == f">={version[1]}"
    assert set(re.findall(r"(?m)^FROM python:([\d.]+)", IMAGE)) == {version[1]}
    assert f"on Python {version[1]}, as all tests do" in README


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(\w+/[\w./-]+\.\w+)`", README))))
def test_the_files_it_names_are_there(name: str) -> None:
    """Nobody is sent to a file that does not exist."""
    assert (TESTS.parent / name).exists()
