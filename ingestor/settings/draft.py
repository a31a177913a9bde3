"""Holds the settings while it is judged whether they fit together."""

from dataclasses import dataclass
from typing import Any

from ingestor.settings.catalogue import BY_NAME
from ingestor.settings.groups import Ingestor, Kafka, Tuner
from ingestor.settings.problems import Problem
from ingestor.settings.sources import Findings


@dataclass(frozen=True, slots=True)
class Draft:
    """The settings before it is known that they hold; the *faulty* ones stand at their defaults."""

    kafka: Kafka
    tuner: Tuner
    ingestor: Ingestor
    findings: Findings
    faulty: frozenset[str]

    def value(self, name: str) -> Any:
        """Return the value of the setting *name*."""
        setting = BY_NAME[name]
        return getattr(getattr(self, setting.section), setting.key)

    def is_given(self, name: str) -> bool:
        """Say whether something is written for *name*, usable or not."""
        return name in self.findings.written or name in self.faulty

    def is_sound(self, *names: str) -> bool:
        """Say whether a rule on *names* can be judged: none of them is a problem already."""
        return self.faulty.isdisjoint(names)

    def written_name(self, name: str) -> str:
        """Return the name under which the user wrote the setting *name*."""
        written = self.findings.written.get(name)
        return written.name if written else name

    def problem(self, name: str, message: str) -> Problem:
        """Return a problem of the setting *name*, under the name the user wrote."""
        return Problem(self.written_name(name), message)
