"""Decides whether a request's key opens the door, and the door of which workspaces."""

from collections.abc import Mapping

from ingestor.devkit.fake_tuner.answers import Answer, detail
from ingestor.devkit.fake_tuner.options import Auth, Options


def presented_key(headers: Mapping[str, str], auth: Auth) -> str | None:
    """Return the API key that *headers* carry where *auth* looks for it; Bearer goes first."""
    bearer = _bearer(headers.get("Authorization", "")) if auth != "xapikey" else None
    return bearer or (headers.get("X-API-Key") if auth != "bearer" else None) or None


def refusal(key: str | None, workspace_id: int | None, options: Options) -> Answer | None:
    """Return the 401 or 403 that *key* earns, or None if it may go on.

    A workspace that cannot be read is no reason to refuse: it is a problem of the query.
    """
    if key is None:
        return _missing(options)
    workspaces = options.keys.get(key)
    if workspaces is None:
        return detail(401, "Invalid API key", www_authenticate="Bearer")
    if workspaces == "any" or workspace_id is None or workspace_id in workspaces:
        return None
    return detail(403, "This API key has no access to this workspace")


def _bearer(authorization: str) -> str | None:
    scheme, _, credentials = authorization.partition(" ")
    return credentials.strip() or None if scheme.lower() == "bearer" else None


def _missing(options: Options) -> Answer:
    if options.missing_credentials == 403:  # noqa: PLR2004 - a status
        return detail(403, "Not authenticated")
    scheme = "APIKey" if options.auth == "xapikey" else "Bearer"
    return detail(401, "Not authenticated", www_authenticate=scheme)
