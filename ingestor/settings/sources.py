"""Finds what is written for each setting, and where: environment first, then the TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestor.settings.catalogue import SECTIONS, SETTINGS, Setting
from ingestor.settings.files import Unreadable, read_secret, shown_path
from ingestor.settings.problems import Problem
from ingestor.settings.strangers import is_ours, strangers, unknown_keys


@dataclass(frozen=True, slots=True)
class Written:
    """What is written for one setting: under which name, by which source, read from which file."""

    value: Any
    name: str
    source: str
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is written, by the settings' environment names; unusable sources as problems."""

    written: Mapping[str, Written]
    unusable: Mapping[str, Problem]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def find(environ: Mapping[str, str], toml: Mapping[str, Any]) -> Findings:
    """Find every setting in *environ*, else in *toml*; an empty text counts as not set."""
    ours = {name: value for name, value in environ.items() if is_ours(name, value)}
    tables = {section: table for section, table in toml.items() if isinstance(table, Mapping)}
    written: dict[str, Written] = {}
    unusable: dict[str, Problem] = {}
    for setting in SETTINGS:
        found = _in_environment(setting, ours)
        if found is None:
            found = _in_toml(setting, tables.get(setting.section, {}))
        if isinstance(found, Written):
            written[setting.name] = found
        elif found is not None:
            unusable[setting.name] = found
    slips, foreign = strangers(environ)
    return Findings(written, unusable, (*slips, *_misplaced(toml)), tuple(foreign))


def _in_environment(setting: Setting, environ: Mapping[str, str]) -> Written | Problem | None:
    names = {key: f"{setting.section}_{key}".upper() for key in setting.keys}
    given = {name: environ[name] for name in names.values() if environ.get(name, "").strip()}
    return _one_of(setting, given, source="environment")


def _in_toml(setting: Setting, table: Mapping[str, Any]) -> Written | Problem | None:
    given = {
        f"{setting.section}.{key}": table[key]
        for key in setting.keys
        if key in table and not (isinstance(table[key], str) and not table[key].strip())
    }
    return _one_of(setting, given, source="config file")


def _one_of(setting: Setting, given: Mapping[str, Any], *, source: str) -> Written | Problem | None:
    if len(given) > 1:
        name, file_name = given
        return Problem(name, f"is set together with {file_name}; keep one of them")
    for name, value in given.items():
        if setting.is_secret and name.lower().endswith("_file"):
            return _from_file(name, value)
        return Written(value, name, source)
    return None


def _from_file(name: str, value: object) -> Written | Problem:
    if not isinstance(value, str):
        return Problem(name, "must be the path of a file, in quotes")
    path = Path(value.strip())
    found = read_secret(path)
    if isinstance(found, Unreadable):
        message = f"{shown_path(value.strip())} cannot be used: {found.why}; name a file that can"
        return Problem(name, message)
    return Written(found, name, f"file {name}", path)


def _misplaced(toml: Mapping[str, Any]) -> list[Problem]:
    problems = list(unknown_keys(toml, SECTIONS, place=""))
    for section in SECTIONS:
        table = toml.get(section, {})
        if not isinstance(table, Mapping):
            problems.append(
                Problem(section, f"must be a section: [{section}] on a line of its own")
            )
            continue
        keys = [key for setting in SETTINGS if setting.section == section for key in setting.keys]
        problems.extend(unknown_keys(table, keys, place=f"{section}."))
    return problems
