"""Who may do what."""

import pytest

from ingestor.devkit.fake_tuner import Options
from ingestor.devkit.fake_tuner.answers import Answer
from ingestor.devkit.fake_tuner.credentials import presented_key, refusal
from ingestor.devkit.fake_tuner.options import Auth

OPTIONS = Options(keys={"all": "any", "some": frozenset({1, 2})})


@pytest.mark.parametrize(
    ("headers", "auth", "key"),
    [
        ({"Authorization": "Bearer k"}, "both", "k"),
        ({"Authorization": "bearer  k "}, "both", "k"),
        ({"Authorization": "BEARER k"}, "bearer", "k"),
        ({"Authorization": "Bearer k"}, "xapikey", None),
        ({"Authorization": "Bearer "}, "both", None),
        ({"Authorization": "Basic k"}, "both", None),
        ({"X-API-Key": "k"}, "both", "k"),
        ({"X-API-Key": "k"}, "xapikey", "k"),
        ({"X-API-Key": "k"}, "bearer", None),
        ({"X-API-Key": ""}, "both", None),
        ({"Authorization": "Bearer k", "X-API-Key": "x"}, "both", "k"),
        ({"Authorization": "Basic k", "X-API-Key": "x"}, "both", "x"),
        ({}, "both", None),
    ],
)
def test_a_key_is_looked_for_where_it_may_be(
    headers: dict[str, str], auth: Auth, key: str | None
) -> None:
    """Bearer and X-API-Key both count unless told otherwise, Bearer before X-API-Key."""
    assert presented_key(headers, auth) == key


@pytest.mark.parametrize(
    ("key", "workspace_id", "status"),
    [
        ("all", 9, None),
        ("some", 2, None),
        ("some", 3, 403),
        ("some", None, None),
        ("none", 1, 401),
        (None, 1, 401),
    ],
)
def test_a_key_opens_its_workspaces(
    key: str | None, workspace_id: int | None, status: int | None
) -> None:
    """No key and a wrong key are 401, a foreign workspace is 403, an unreadable one passes."""
    refused = refusal(key, workspace_id, OPTIONS)

    assert (None if refused is None else refused.status) == status


@pytest.mark.parametrize(
    ("options", "status", "headers"),
    [
        (Options(), 401, (("Www-Authenticate", "Bearer"),)),
        (Options(auth="bearer"), 401, (("Www-Authenticate", "Bearer"),)),
        (Options(auth="xapikey"), 401, (("Www-Authenticate", "APIKey"),)),
        (Options(missing_credentials=403), 403, ()),
    ],
)
def test_missing_credentials_are_told_as_that_fastapi_tells_them(
    options: Options, status: int, headers: tuple[tuple[str, str], ...]
) -> None:
    """New servers say 401 and name the scheme, old ones say 403."""
    assert refusal(None, 1, options) == Answer(
        status, b'{"detail":"Not authenticated"}', headers=headers
    )
