"""The keys, by name, as the headers that carry them; a key may be replaced while we run."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ingestor.edge.watch import Watch

X_API_KEY = "X-API-Key"
AUTHORIZATION = "Authorization"
# A file system that hangs must not keep a probe for ever.
READING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class NotRead:
    """A key that could not be read, in words that quote nothing of it."""

    why: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the headers that carry it: *auth* is `both`, `x-api-key` or `bearer`, for Tuner's
    two generations. *read* reads it again from where it is kept; None when it is kept nowhere.
    """

    key: str = field(repr=False)
    auth: str = "both"
    read: Callable[[], str | NotRead] | None = field(default=None, repr=False)

    def headers(self) -> Mapping[str, str]:
        """Write the headers."""
        both = {X_API_KEY: self.key, AUTHORIZATION: f"Bearer {self.key}"}
        match self.auth:
            case "x-api-key":
                return {X_API_KEY: self.key}
            case "bearer":
                return {AUTHORIZATION: both[AUTHORIZATION]}
            case _:
                return both


class Keyring:
    """The credentials as they are now, and their *headers* by name; a key is read again within so
    many *seconds* or not at all.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credential],
        watch: Watch,
        seconds: float = READING_SECONDS,
    ) -> None:
        self._credentials = dict(credentials)
        self._watch = watch
        self._seconds = seconds
        # Why a key could not be read last time: told when it changes.
        self._told: dict[str, str] = {}
        self.headers = {name: it.headers() for name, it in credentials.items()}

    async def refresh(self, credential: str) -> None:
        """Read the key of *credential* again; every request from now on carries the new one. The
        old one stays as long as it cannot be read.
        """
        known = self._credentials[credential]
        if known.read is None:
            return
        try:
            async with asyncio.timeout(self._seconds):
                found = await asyncio.to_thread(known.read)
        except TimeoutError:
            found = NotRead("not read in time")
        if isinstance(found, NotRead):
            self._complain(credential, found.why)
            return
        self._told.pop(credential, None)
        if found != known.key:
            self._credentials[credential] = new = replace(known, key=found)
            self.headers[credential] = new.headers()
            self._watch.changed("key_replaced", credential=credential)

    def _complain(self, credential: str, why: str) -> None:
        if self._told.get(credential) != why:
            self._told[credential] = why
            self._watch.changed("key_unreadable", credential=credential, why=why)
