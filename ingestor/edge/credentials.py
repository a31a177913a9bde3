"""The keys, by name, as the headers that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

X_API_KEY = "X-API-Key"
AUTHORIZATION = "Authorization"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key and the headers that carry it: *auth* is `both`, `x-api-key` or `bearer`, for Tuner's
    two generations.
    """

    key: str = field(repr=False)
    auth: str = "both"

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
