"""A key is carried by headers, and by nothing else."""

import pytest

from ingestor.edge.credentials import Credential


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("both", {"X-API-Key": "k", "Authorization": "Bearer k"}),
        ("x-api-key", {"X-API-Key": "k"}),
        ("bearer", {"Authorization": "Bearer k"}),
    ],
)
def test_a_key_is_written_as_headers(auth: str, headers: dict[str, str]) -> None:
    """Tuner's two generations read it from different ones."""
    assert Credential("k", auth).headers() == headers


def test_a_key_is_not_shown() -> None:
    """Somebody may print what holds it."""
    assert "secret" not in repr(Credential("secret"))
