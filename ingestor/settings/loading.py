"""Turns what is written into frozen settings, or into all that is wrong with it."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingestor.settings.catalogue import BY_NAME, SETTINGS
from ingestor.settings.credentials import Credential, default_credential
from ingestor.settings.draft import Draft
from ingestor.settings.groups import Ingestor, Kafka, Tuner, fill
from ingestor.settings.problems import Problem, Problems
from ingestor.settings.routes import Route, read_routes
from ingestor.settings.rules import broken_rules, oddities
from ingestor.settings.security import broken_security
from ingestor.settings.sources import Findings, find
from ingestor.settings.wire import broken_wire


class Row(NamedTuple):
    """One effective value: environment name, value as shown (a secret masked), and its source."""

    name: str
    shown: str
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; the credential named `default` is the key of the settings themselves."""

    kafka: Kafka
    tuner: Tuner
    ingestor: Ingestor
    credentials: tuple[Credential, ...]
    routes: tuple[Route, ...]
    rows: tuple[Row, ...]
    warnings: tuple[Problem, ...]


def is_installed(library: str) -> bool:
    """Say whether *library* can be imported."""
    return importlib.util.find_spec(library) is not None


def load(
    environ: Mapping[str, str],
    toml: Mapping[str, Any] | None = None,
    *,
    is_installed: Callable[[str], bool] = is_installed,
) -> Settings | Problems:
    """Load the settings from *environ*, then *toml*, then their defaults; read the files they name.

    Relative paths start at the working directory. Nothing is raised for anything written there.
    """
    findings = find(environ, toml or {})
    draft, problems = _drafted(findings)
    routes = read_routes(draft)
    problems += broken_rules(draft)
    problems += broken_security(draft, is_installed=is_installed)
    problems += routes.problems
    urls = [draft.tuner.base_url, *(credential.base_url for credential in routes.credentials)]
    problems += broken_wire(draft, urls, environ)
    warnings = (*findings.warnings, *oddities(draft), *routes.warnings)
    if problems:
        return Problems(tuple(problems), warnings)
    default = default_credential(draft)
    return Settings(
        draft.kafka,
        draft.tuner,
        draft.ingestor,
        (*((default,) if default else ()), *routes.credentials),
        routes.routes,
        _rows(draft),
        warnings,
    )


def _drafted(findings: Findings) -> tuple[Draft, list[Problem]]:
    kafka, kafka_faults = fill(Kafka, _section("kafka", findings))
    tuner, tuner_faults = fill(Tuner, _section("tuner", findings))
    ingestor, ingestor_faults = fill(Ingestor, _section("ingestor", findings))
    faults = {
        f"{section}_{key}".upper(): rule
        for section, found in (
            ("kafka", kafka_faults),
            ("tuner", tuner_faults),
            ("ingestor", ingestor_faults),
        )
        for key, rule in found.items()
    }
    faulty = faults.keys() | findings.unusable.keys()
    draft = Draft(kafka, tuner, ingestor, findings, frozenset(faulty))
    problems = [*findings.problems, *findings.unusable.values()]
    problems += [draft.problem(name, f"{rule}; {_advice(name)}") for name, rule in faults.items()]
    return draft, problems


def _section(section: str, findings: Findings) -> dict[str, Any]:
    return {
        setting.key: findings.written[setting.name].value
        for setting in SETTINGS
        if setting.section == section and setting.name in findings.written
    }


def _advice(name: str) -> str:
    match BY_NAME[name].shown_default:
        case "required":
            return "correct it"
        case "none":
            return "correct or remove it"
        case default:
            return f"correct it, or remove it for the default ({default})"


def _rows(draft: Draft) -> tuple[Row, ...]:
    written = draft.findings.written
    return tuple(
        Row(
            setting.name,
            setting.show(draft.value(setting.name)),
            written[setting.name].source if setting.name in written else "default",
        )
        for setting in SETTINGS
    )
