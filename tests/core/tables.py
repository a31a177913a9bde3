"""Tests as tables whose rows are named by sentences."""

from collections.abc import Mapping

import pytest


def table(names: str, rows: Mapping[str, object]) -> pytest.MarkDecorator:
    """Run a test once for each of *rows*, under its sentence; *names* are the columns."""
    columns = [name.strip() for name in names.split(",")]
    return pytest.mark.parametrize(
        columns if len(columns) > 1 else columns[0], list(rows.values()), ids=list(rows)
    )
