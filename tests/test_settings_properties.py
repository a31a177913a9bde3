"""Settings: what holds for every text and every TOML value."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from settings_builders import SECRET

from ingestor.settings import Problems, Settings, describe, load

KNOWN = [row.name for row in describe()]
NAMES = st.builds("{}{}".format, st.sampled_from(KNOWN), st.sampled_from(["", "_FILE", "S"]))
NAMES |= st.builds("{}_{}".format, st.sampled_from(["KAFKA", "Tuner", "INGESTOR"]), st.text())
TEXTS = st.text(st.characters()) | st.sampled_from(
    [
        "SASL_SSL",
        "PLAIN",
        "OAUTHBEARER",
        "1",
        "0.5",
        "1MiB",
        "true",
        "/",
        ".",
        "a,b",
        "http://a/b?c#d",
    ]
)
ENVIRONMENTS = st.dictionaries(NAMES, TEXTS | st.text(st.characters(codec=None)))
TOML_VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = NAMES.map(lambda name: name.lower().partition("_")[2]) | st.text(max_size=8)
TABLES = st.dictionaries(
    st.sampled_from(["kafka", "tuner", "ingestor"]) | st.text(max_size=8),
    st.dictionaries(KEYS, TOML_VALUES) | TOML_VALUES,
)


@settings(deadline=None)
@given(ENVIRONMENTS, TABLES)
def test_no_text_and_no_toml_value_ever_raises(
    environ: dict[str, str], toml: dict[str, Any]
) -> None:
    """Failure is a value, for whatever stands in the environment and in the file."""
    outcome = load(environ, toml)

    assert isinstance(outcome, Settings) or outcome.problems
    assert all(problem.message for problem in outcome.warnings)


WRAPPED = st.builds("{}{}{}".format, st.sampled_from(["", " ", "x", "é"]), st.just(SECRET), TEXTS)


@settings(deadline=None)
@given(st.dictionaries(NAMES, WRAPPED, min_size=1), st.dictionaries(KEYS, WRAPPED))
def test_a_secret_in_any_place_never_shows_in_a_problem(
    environ: dict[str, str], table: dict[str, str]
) -> None:
    """Problems are printed and logged, and the wrong place is just where they come from."""
    problems = load(environ, {"kafka": table, "tuner": table, "ingestor": table})

    assert isinstance(problems, Problems)
    assert SECRET not in repr(problems)
    assert SECRET not in "".join(map(str, problems.problems + problems.warnings))
