"""Decides with which key, headers and address a destination is reached."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from ingestor.settings.addresses import is_plain
from ingestor.settings.draft import Draft
from ingestor.settings.files import Unreadable, read_secret, shown_path
from ingestor.settings.groups import ApiKey, Auth, AuthHeaders, BaseUrl, Group, Text, fill
from ingestor.settings.problems import Problem
from ingestor.settings.rules import PLAIN_HTTP
from ingestor.settings.strangers import unknown_keys
from ingestor.settings.values import api_key

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")  # it stands in metrics and logs
_KEYS = ("api_key", "api_key_file")


@dataclass(frozen=True, slots=True)
class Credential:
    """A named key and the address it is for; its file is kept, since keys are replaced there."""

    name: str
    api_key: SecretStr
    api_key_file: Path | None
    base_url: str
    auth: AuthHeaders


class CredentialEntry(Group):
    """What a [credential.NAME] of the routes file may hold."""

    api_key: ApiKey | None = None
    api_key_file: Text | None = None
    auth: Auth | None = None
    base_url: BaseUrl | None = None


def reread(credential: Credential) -> Credential | Unreadable:
    """Return *credential* with the key that its file holds now; without a file, as it is."""
    if credential.api_key_file is None:
        return credential
    found = _key_in(credential.api_key_file)
    return found if isinstance(found, Unreadable) else replace(credential, api_key=found)


def default_credential(draft: Draft) -> Credential | None:
    """Return the credential that the settings themselves give, or None when they give no key."""
    tuner = draft.tuner
    if tuner.api_key is None:
        return None
    file = draft.findings.written["TUNER_API_KEY"].file
    return Credential(DEFAULT, tuner.api_key, file, tuner.base_url, tuner.auth)


def read_credential(name: str, raw: object, draft: Draft) -> Credential | list[Problem]:
    """Return the credential *name* as *raw* describes it; the settings fill in what is left out."""
    place = f"routes file: credential.{name}"
    if not isinstance(raw, Mapping):
        return [Problem(place, "must be a table, with a header of its own: [credential.NAME]")]
    known = {key: raw[key] for key in CredentialEntry.model_fields if key in raw}
    entry, faults = fill(CredentialEntry, known)
    found = _key(entry, place) if faults.keys().isdisjoint(_KEYS) else None
    problems = [
        *_misnamed(name, place),
        *unknown_keys(raw, CredentialEntry.model_fields, place=f"{place}."),
        *(Problem(f"{place}.{key}", rule) for key, rule in faults.items()),
        *_plain_http(entry, place, draft),
        *([found] if isinstance(found, Problem) else []),
    ]
    if problems or not isinstance(found, SecretStr):
        return problems
    file = Path(entry.api_key_file) if entry.api_key_file else None
    base_url = entry.base_url or draft.tuner.base_url
    return Credential(name, found, file, base_url, entry.auth or draft.tuner.auth)


def _misnamed(name: str, place: str) -> Iterator[Problem]:
    if name == DEFAULT:
        yield Problem(place, "must have another name: this one is the key of the settings")
    elif not _NAME.fullmatch(name):
        rule = "must have a name of at most 64 ASCII letters, digits, '.', '_' and '-'"
        yield Problem(place, rule)


def _plain_http(entry: CredentialEntry, place: str, draft: Draft) -> Iterator[Problem]:
    is_refused = draft.is_sound("TUNER_ALLOW_HTTP") and not draft.tuner.allow_http
    if entry.base_url and is_plain(entry.base_url) and is_refused:
        yield Problem(f"{place}.base_url", PLAIN_HTTP)


def _key(entry: CredentialEntry, place: str) -> SecretStr | Problem:
    match entry.api_key, entry.api_key_file:
        case SecretStr() as key, None:
            return key
        case None, str(file):
            found = _key_in(Path(file))
            if isinstance(found, SecretStr):
                return found
            message = f"{shown_path(file)} cannot be used: {found.why}"
            return Problem(f"{place}.api_key_file", message)
        case _:
            return Problem(place, "must have either api_key or api_key_file")


def _key_in(path: Path) -> SecretStr | Unreadable:
    found = read_secret(path)
    if isinstance(found, Unreadable):
        return found
    try:
        return api_key(found)
    except PydanticCustomError as error:
        return Unreadable(error.message())
