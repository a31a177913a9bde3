"""Knows every setting by its names: in the environment, in the TOML file, and as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ingestor.settings.groups import ApiKey, Group, Ingestor, Kafka, Secret, Tuner
from ingestor.settings.values import size_text

SECTIONS: Mapping[str, type[Group]] = {"kafka": Kafka, "tuner": Tuner, "ingestor": Ingestor}
REQUIRED = frozenset({"KAFKA_BOOTSTRAP_SERVERS"})
REQUIRED_WITHOUT_ROUTES = frozenset({"TUNER_API_KEY", "TUNER_WORKSPACE_ID", "TUNER_AGENT_ID"})

_MASK = "********"


class Description(NamedTuple):
    """A row of the settings' table: environment name, default as shown, description, secrecy."""

    name: str
    default: str
    description: str
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `kafka.group_id` of the TOML file is `KAFKA_GROUP_ID` of the environment."""

    section: str
    key: str
    field: FieldInfo

    @property
    def name(self) -> str:
        return f"{self.section}_{self.key}".upper()

    @property
    def is_secret(self) -> bool:
        return not {ApiKey, Secret}.isdisjoint(get_args(self.field.annotation))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys under which it may stand in its section."""
        return (self.key, f"{self.key}_file") if self.is_secret else (self.key,)

    @property
    def shown_default(self) -> str:
        if self.name in REQUIRED | REQUIRED_WITHOUT_ROUTES:
            return "required"
        return self.show(self.field.default)

    def show(self, value: object) -> str:
        """Write *value* for people; a secret as a mask."""
        match value:
            case None | ():
                return "none"
            case SecretStr():
                return _MASK
            case bool():
                return str(value).lower()
            case tuple():
                return ", ".join(map(str, value))
            case int() if self.key.endswith("_bytes"):
                return size_text(value)
            case str() if self.key.endswith("_url"):
                # A query is where keys stand in URLs.
                address, mark, _ = value.partition("?")
                return f"{address}{mark}{_MASK if mark else ''}"
            case float():
                return f"{value:g}"
            case _:
                return str(value)


SETTINGS = tuple(
    Setting(section, key, field)
    for section, group in SECTIONS.items()
    for key, field in group.model_fields.items()
)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
ENVIRONMENT_NAMES = frozenset(
    f"{setting.section}_{key}".upper() for setting in SETTINGS for key in setting.keys
)


def describe() -> list[Description]:
    """List every setting in the order of the table."""
    return [
        Description(
            setting.name,
            setting.shown_default,
            setting.field.description or "",
            setting.is_secret,
        )
        for setting in SETTINGS
    ]
