"""Frozen settings: read once, and all that is wrong with them told at once."""

from ingestor.settings.catalogue import Description, describe
from ingestor.settings.credentials import Credential, reread
from ingestor.settings.files import Unreadable, read_toml
from ingestor.settings.groups import Ingestor, Kafka, Tuner
from ingestor.settings.loading import Row, Settings, load
from ingestor.settings.problems import Problem, Problems
from ingestor.settings.routes import Route

__all__ = [
    "Credential",
    "Description",
    "Ingestor",
    "Kafka",
    "Problem",
    "Problems",
    "Route",
    "Row",
    "Settings",
    "Tuner",
    "Unreadable",
    "describe",
    "load",
    "read_toml",
    "reread",
]
