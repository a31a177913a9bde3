"""The routes file: which calls go where, and every way to get that wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from settings_builders import COMPLETE, SECRET

from ingestor.settings import Problems, Route, Settings, load

WHOLE = """
[credential.acme]
api_key = "acme-key"
auth = "bearer"
base_url = "https://eu.example/tuner/"

[credential.beta]
api_key_file = "{folder}/beta"

[[route]]
topic = "calls.acme.*"
workspace_id = 7
agent_id = "front-desk"
credential = "acme"

[[route]]
field = "metadata.tenant"
values = ["beta", 2, true]
credential = "beta"

[[route]]
topic = "*"
field = "tenant"
value = false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the file of one key."""
    (tmp_path / "beta").write_text("beta-key\n")
    return tmp_path


def loaded(folder: Path, content: str, **changes: str) -> Settings | Problems:
    path = folder / "routes.toml"
    path.write_text(content)
    return load(COMPLETE | {"INGESTOR_ROUTES_FILE": str(path)} | changes)


def good(folder: Path, content: str, **changes: str) -> Settings:
    outcome = loaded(folder, content, **changes)
    assert isinstance(outcome, Settings), outcome
    return outcome


def bad(folder: Path, content: str, **changes: str) -> dict[str, str]:
    outcome = loaded(folder, content, **changes)
    assert isinstance(outcome, Problems), outcome
    assert len({problem.name for problem in outcome.problems}) == len(outcome.problems)
    return {problem.name: problem.message for problem in outcome.problems}


def test_routes_and_credentials_are_read_in_order(folder: Path) -> None:
    """What an entry leaves out is taken from the settings."""
    topics = "calls.acme.eu,other"

    found = good(folder, WHOLE.format(folder=folder), KAFKA_TOPICS=topics, TUNER_AUTH="x-api-key")

    assert found.routes == (
        Route("calls.acme.*", (), (), 7, "front-desk", "acme"),
        Route(None, ("metadata", "tenant"), ("beta", 2, True), 7, "front-desk", "beta"),
        Route("*", ("tenant",), (False,), 7, "front-desk", "default"),
    )
    assert [type(value) for value in found.routes[1].values] == [str, int, bool]
    default, acme, beta = found.credentials
    assert (default.name, default.api_key, default.auth) == (
        "default",
        SecretStr(SECRET),
        "x-api-key",
    )
    assert (acme.api_key, acme.auth) == (SecretStr("acme-key"), "bearer")
    assert (acme.base_url, acme.api_key_file) == ("https://eu.example/tuner", None)
    assert (beta.api_key, beta.auth) == (SecretStr("beta-key"), "x-api-key")
    assert (beta.base_url, beta.api_key_file) == ("https://api.usetuner.ai", folder / "beta")
    assert found.warnings == ()


def test_a_routes_file_makes_the_three_tuner_settings_optional(folder: Path) -> None:
    """Credentials then come from the file, workspaces and agents from it or from the events."""
    content = '[credential.a]\napi_key = "k"\n[[route]]\ntopic = "*"\ncredential = "a"\n'
    nothing = {"TUNER_API_KEY": "", "TUNER_WORKSPACE_ID": "", "TUNER_AGENT_ID": ""}

    found = good(folder, content, **nothing)

    assert found.routes == (Route("*", (), (), None, None, "a"),)
    assert [credential.name for credential in found.credentials] == ["a"]
    assert found.tuner.api_key is None


def test_without_a_key_in_the_settings_every_route_names_a_credential(folder: Path) -> None:
    """There is nothing that it could fall back to."""
    content = '[credential.a]\napi_key = "k"\n[[route]]\ntopic = "*"\n'

    problems = bad(folder, content, TUNER_API_KEY="")

    message = "is missing, and TUNER_API_KEY is not set; set one of them; known are: a"
    assert problems == {"routes file: route[1].credential": message}


def test_a_key_that_is_set_but_bad_is_one_problem(folder: Path) -> None:
    """The routes that rely on it are not wrong."""
    problems = bad(folder, '[[route]]\ntopic = "*"\n', TUNER_API_KEY="a b")

    assert list(problems) == ["TUNER_API_KEY"]


def test_the_default_credential_can_be_named(folder: Path) -> None:
    """Saying it aloud is no mistake, as long as there is one."""
    content = '[[route]]\ntopic = "*"\ncredential = "default"\n'

    assert good(folder, content).routes[0].credential == "default"
    assert (
        "known are: none"
        in bad(folder, content, TUNER_API_KEY="")["routes file: route[1].credential"]
    )


ROUTE = '[[route]]\ntopic = "*"\n'
KEY = 'api_key = "k"\n'
REFUSED = [
    ("", "routes file: route", "at least one entry"),
    ("route = []", "routes file: route", "at least one entry"),
    ("route = 1", "routes file: route", "at least one entry"),
    ("route = [1]", "routes file: route[1]", "must be a table"),
    (f"x = 1\n{ROUTE}", "routes file: x", "known are credential, route"),
    (f"[[routes]]\n{ROUTE}", "routes file: routes", "did you mean route?"),
    (f"credential = 1\n{ROUTE}", "routes file: credential", "must be tables"),
    (f"credential.a = 1\n{ROUTE}", "routes file: credential.a", "must be a table"),
    (f"[credential.a]\n{ROUTE}", "routes file: credential.a", "either api_key or api_key_file"),
    (f"[credential.a]\n{KEY}api_key_file = 'x'\n{ROUTE}", "routes file: credential.a", "either"),
    (f"[credential.default]\n{KEY}{ROUTE}", "routes file: credential.default", "another name"),
    (f"[credential.'a b']\n{KEY}{ROUTE}", "routes file: credential.a b", "at most 64 ASCII"),
    (
        f"[credential.a]\n{KEY}key = 1\n{ROUTE}",
        "routes file: credential.a.key",
        "did you mean api_key?",
    ),
    (
        f"[credential.a]\n{KEY}auth = 'x'\n{ROUTE}",
        "routes file: credential.a.auth",
        "both, x-api-key",
    ),
    (
        f"[credential.a]\n{KEY}base_url = 'x'\n{ROUTE}",
        "routes file: credential.a.base_url",
        "a URL",
    ),
    (
        f"[credential.a]\n{KEY}base_url = 'http://x'\n{ROUTE}",
        "routes file: credential.a.base_url",
        "https",
    ),
    (f"[credential.a]\napi_key = 'a b'\n{ROUTE}", "routes file: credential.a.api_key", "key alone"),
    (f"[credential.a]\napi_key = 1\n{ROUTE}", "routes file: credential.a.api_key", "key alone"),
    (
        f"[credential.a]\napi_key_file = ''\n{ROUTE}",
        "routes file: credential.a.api_key_file",
        "empty",
    ),
    (
        f"[credential.a]\napi_key_file = '/nowhere/key'\n{ROUTE}",
        "routes file: credential.a.api_key_file",
        "/nowhere/key cannot be used: no such file or directory",
    ),
    (
        f"[credential.a]\napi_key_file = '/dev/zero'\n{ROUTE}",
        "routes file: credential.a.api_key_file",
        "larger than",
    ),
    ("[[route]]\n", "routes file: route[1]", "a topic or a field"),
    (f"{ROUTE}[[route]]\nworkspace_id = 1", "routes file: route[2]", "a topic or a field"),
    ("[[route]]\ntopic = ''", "routes file: route[1].topic", "must not be empty"),
    (f"{ROUTE}topics = 'a'", "routes file: route[1].topics", "did you mean topic?"),
    (f"{ROUTE}field = 'a'", "routes file: route[1].value", "what must the field equal?"),
    (f"{ROUTE}value = 'a'", "routes file: route[1].field", "which field must have the value?"),
    ("[[route]]\nvalue = 'a'", "routes file: route[1].field", "which field must have the value?"),
    (
        f"{ROUTE}field = 'a'\nvalue = 1\nvalues = [1]",
        "routes file: route[1].values",
        "beside value",
    ),
    (f"{ROUTE}field = 'a'\nvalue = ''", "routes file: route[1].value", "not empty"),
    (f"{ROUTE}field = 'a'\nvalue = 1.5", "routes file: route[1].value", "a whole number"),
    (f"{ROUTE}field = 'a'\nvalues = []", "routes file: route[1].values", "at least one"),
    (f"{ROUTE}field = 'a'\nvalues = 1", "routes file: route[1].values", "a list"),
    (f"{ROUTE}field = 'a'\nvalues = [[1]]", "routes file: route[1].values", "a whole number"),
    (f"{ROUTE}field = 'a..b'\nvalue = 1", "routes file: route[1].field", "joined by dots"),
    (f"{ROUTE}field = 1\nvalue = 1", "routes file: route[1].field", "must be text"),
    (f"{ROUTE}workspace_id = 0", "routes file: route[1].workspace_id", "at least 1"),
    (f"{ROUTE}agent_id = ''", "routes file: route[1].agent_id", "must not be empty"),
    (f"{ROUTE}credential = 'acme'", "routes file: route[1].credential", "known are: default"),
    (f"{ROUTE}credential = 1", "routes file: route[1].credential", "must be text"),
    ("[[route", "INGESTOR_ROUTES_FILE", "not valid TOML, line 1, column 8"),
]


@pytest.mark.parametrize(
    ("content", "name", "part"), REFUSED, ids=[f"{n}-{row[1]}" for n, row in enumerate(REFUSED)]
)
def test_a_mistake_is_told_by_its_place(folder: Path, content: str, name: str, part: str) -> None:
    """The place names the entry, counted from one, and the key."""
    problems = bad(folder, content)

    assert list(problems) == [name]
    assert part in problems[name]


def test_all_mistakes_of_the_file_are_told_at_once(folder: Path) -> None:
    """Also beside those of the settings."""
    content = """
    [credential.a]
    [credential.b]
    api_key = "a b"
    [[route]]
    topic = 1
    credential = "c"
    [[route]]
    credential = "b"
    """

    assert list(bad(folder, content, KAFKA_TOPICS="?")) == [
        "KAFKA_TOPICS",
        "routes file: credential.a",
        "routes file: credential.b.api_key",
        "routes file: route[1].topic",
        "routes file: route[1].credential",
        "routes file: route[2]",
    ]


def test_a_missing_routes_file_is_the_only_problem(tmp_path: Path) -> None:
    """Nobody can know which settings it would have made needless."""
    problems = load(
        {"KAFKA_BOOTSTRAP_SERVERS": "a", "INGESTOR_ROUTES_FILE": str(tmp_path / "routes.toml")}
    )

    assert isinstance(problems, Problems)
    assert [problem.name for problem in problems.problems] == ["INGESTOR_ROUTES_FILE"]


def test_plain_http_in_the_file_needs_the_same_leave(folder: Path) -> None:
    """One rule for every address that a key is sent to."""
    content = f"[credential.a]\n{KEY}base_url = 'http://x'\n{ROUTE}credential = 'a'\n"

    assert good(folder, content, TUNER_ALLOW_HTTP="1").credentials[1].base_url == "http://x"
    assert list(bad(folder, content, TUNER_ALLOW_HTTP="?")) == ["TUNER_ALLOW_HTTP"]


def warned(folder: Path, content: str, **changes: str) -> list[str]:
    return [warning.name for warning in loaded(folder, content, **changes).warnings]


def test_a_route_that_is_never_taken_warns(folder: Path) -> None:
    """No topic that is read matches it, or every one is taken by a route before it."""
    content = """
    [[route]]
    topic = "a"
    field = "tenant"
    value = 1
    [[route]]
    topic = "a"
    [[route]]
    topic = "a*"
    [[route]]
    topic = "c"
    [[route]]
    field = "tenant"
    value = 2
    """

    assert warned(folder, content, KAFKA_TOPICS="a,b") == [
        "routes file: route[3]",
        "routes file: route[4]",
    ]
    assert warned(folder, content, KAFKA_TOPICS="?") == []


def test_a_credential_without_a_route_warns(folder: Path) -> None:
    """Somebody meant it to be used."""
    assert warned(folder, f"[credential.a]\n{KEY}{ROUTE}") == ["routes file: credential.a"]


PIECES = st.sampled_from(
    [
        "[[route]]\n",
        "[credential.a]\n",
        "[credential.b]\n",
        "topic = '*'\n",
        "field = 'a.b'\n",
        "value = 1\n",
        "values = ['x', true]\n",
        "workspace_id = 3\n",
        "credential = 'a'\n",
        f"api_key = '{SECRET}'\n",
        f"api_key = '{SECRET} '\n",
        f"api_key = 'Bearer {SECRET}'\n",
        f"api_key_file = '{SECRET}'\n",
        f"auth = '{SECRET}'\n",
        f"base_url = 'https://u:{SECRET}@x'\n",
        f"credential = '{SECRET}'\n",
        f"topic = ['{SECRET}']\n",
        f"'{SECRET}\n",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_whatever_the_file_says_nothing_raises_and_no_secret_shows(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    """A routes file is written by hand, and holds keys."""
    outcome = loaded(tmp_path_factory.getbasetemp(), "".join(pieces))

    assert SECRET not in repr(outcome)
    assert SECRET not in "".join(map(str, outcome.warnings))
