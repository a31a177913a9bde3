"""Builders of settings: complete by default, so that a test names only what matters."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingestor.settings import Problems, Settings, load

SECRET = "s3cr3t-7c1e"  # noqa: S105 - the text that must show up nowhere
COMPLETE = {
    "KAFKA_BOOTSTRAP_SERVERS": "broker",
    "TUNER_API_KEY": SECRET,
    "TUNER_WORKSPACE_ID": "7",
    "TUNER_AGENT_ID": "front-desk",
}
SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN"}
PASSWORD = {"KAFKA_SASL_USERNAME": "reader", "KAFKA_SASL_PASSWORD": SECRET}
OAUTH = {
    "KAFKA_SASL_OAUTH_TOKEN_URL": "https://id.example/token",
    "KAFKA_SASL_OAUTH_CLIENT_ID": "ingestor",
    "KAFKA_SASL_OAUTH_CLIENT_SECRET": SECRET,
}


def good(
    changes: Mapping[str, str] | None = None, toml: Mapping[str, Any] | None = None
) -> Settings:
    settings = load(COMPLETE | dict(changes or {}), toml)
    assert isinstance(settings, Settings), settings
    return settings


def bad(changes: Mapping[str, str], toml: Mapping[str, Any] | None = None) -> dict[str, str]:
    problems = load(COMPLETE | dict(changes), toml)
    assert isinstance(problems, Problems), problems
    found = {problem.name: problem.message for problem in problems.problems}
    assert len(found) == len(problems.problems), "one name, one problem"
    return found


def warned(settings: Settings | Problems) -> dict[str, str]:
    return {warning.name: warning.message for warning in settings.warnings}


def value(settings: Settings, name: str) -> object:
    section, _, key = name.lower().partition("_")
    return getattr(getattr(settings, section), key)


def numbered(table: Sequence[tuple[Any, ...]]) -> list[str]:
    """Name each case by its setting and place: some values cannot stand in a test's name."""
    return [f"{number}-{row[0]}" for number, row in enumerate(table)]
