"""What can be compiled is there, and behaves the same: these tests run on both."""

import importlib
import os
import tomllib
from pathlib import Path

from ingestor import app

# Whoever has compiled it says so, or it might be the source that is tested.
IS_COMPILED = "TEST_COMPILED" in os.environ
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
TARGET = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
COMPILED = [Path(file) for file in TARGET["hooks"]["mypyc"]["include"]]


def test_all_that_is_to_be_compiled_is_and_nothing_is_by_chance() -> None:
    """A name that fits no file is passed over without a word."""
    names = [".".join(file.with_suffix("").parts) for file in COMPILED]
    places = [str(importlib.import_module(name).__file__) for name in names]

    assert {not place.endswith(".py") for place in places} == {IS_COMPILED}
    assert app.IS_COMPILED is IS_COMPILED
