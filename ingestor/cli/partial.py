"""Settings for commands that can do without some of them."""

import os
from dataclasses import replace
from pathlib import Path

from ingestor.cli.environment import read_settings, settings_or_exit
from ingestor.settings import Settings

# What stands in while the settings are read; what is not a key is taken out again.
_STAND_INS = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "TUNER_API_KEY": "missing",
    "TUNER_WORKSPACE_ID": "1",
    "TUNER_AGENT_ID": "missing",
}
_TAKEN_OUT = {"TUNER_WORKSPACE_ID": "workspace_id", "TUNER_AGENT_ID": "agent_id"}


def settings_without(config: Path | None, *names: str) -> tuple[Settings, frozenset[str]]:
    """Read the settings, of which *names* may be missing; return them and those that are.

    Any other problem is printed, with all of them, and the process exits with 2.
    """
    first = read_settings(config)
    if isinstance(first, Settings):
        return first, frozenset()
    missing = frozenset(problem.name for problem in first.problems) & frozenset(names)
    missing = frozenset(name for name in missing if not os.environ.get(name))
    settings = settings_or_exit(config, {name: _STAND_INS[name] for name in missing})
    emptied = {_TAKEN_OUT[name]: None for name in missing if name in _TAKEN_OUT}
    return replace(settings, tuner=settings.tuner.model_copy(update=emptied)), missing
