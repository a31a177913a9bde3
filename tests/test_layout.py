"""The rooms look only inwards, and stay small enough to be read at a sitting."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 40


def modules() -> list[Path]:
    """List every module of the package."""
    return sorted((TOP / "ingestor").rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TOP)))
def test_a_module_is_one_idea(path: Path) -> None:
    """Past 300 lines, or 40 of a function, there is a second idea in it."""
    too_long = [
        f"{function.name} has {lines} lines"
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]

    assert len(path.read_text().splitlines()) <= MOST_LINES_OF_A_MODULE
    assert too_long == []


def test_the_rooms_look_only_inwards() -> None:
    """The import contracts of pyproject.toml hold."""
    pytest.importorskip("importlinter", reason="import-linter is part of the extra `lint`")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)  # noqa: S603

    assert result.returncode == 0, result.stdout
