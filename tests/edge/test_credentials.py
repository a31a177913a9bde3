"""A key is carried by headers, and by nothing else; a new one is used at once."""

import threading
from collections.abc import Callable

import pytest
from fakes import RecordingObserver

from ingestor.edge.credentials import Credential, Keyring, NotRead


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


def ring(watch: RecordingObserver, read: Callable[[], str | NotRead] | None) -> Keyring:
    """Make a keyring of two, one of which is *read* again."""
    return Keyring({"eu": Credential("old", "bearer", read), "us": Credential("us")}, watch)


async def test_a_key_that_was_replaced_is_used_from_now_on() -> None:
    """By everybody who asks for its headers, and it is told without showing it."""
    watch = RecordingObserver()
    keys = ring(watch, lambda: "new")
    seen = keys.headers

    await keys.refresh("eu")
    await keys.refresh("eu")

    assert seen["eu"] == {"Authorization": "Bearer new"}
    assert seen["us"]["X-API-Key"] == "us"
    assert watch.changes == [("key_replaced", {"credential": "eu"})]


async def test_a_key_that_is_kept_nowhere_stays() -> None:
    """There is nothing to read."""
    watch = RecordingObserver()
    keys = ring(watch, lambda: "new")

    await keys.refresh("us")

    assert keys.headers["us"]["X-API-Key"] == "us"
    assert watch.changes == []


async def test_a_key_that_cannot_be_read_stays_and_that_is_told_once() -> None:
    """Its file may be on its way; the reason is told again only when it is another, or new."""
    found: list[str | NotRead] = [
        NotRead("no such file"),
        NotRead("no such file"),
        NotRead("empty"),
        "old",
        NotRead("empty"),
    ]
    watch = RecordingObserver()
    keys = ring(watch, lambda: found.pop(0))

    while found:
        await keys.refresh("eu")
        assert keys.headers["eu"] == {"Authorization": "Bearer old"}

    reasons = [fields["why"] for event, fields in watch.changes if event == "key_unreadable"]
    assert reasons == ["no such file", "empty", "empty"]
    assert len(watch.changes) == 3


async def test_a_file_system_that_hangs_does_not_keep_a_probe_for_ever() -> None:
    """Nor the loop, at any time: it is read elsewhere."""
    is_over = threading.Event()

    def hang() -> str:
        is_over.wait()
        return "new"

    watch = RecordingObserver()
    keys = Keyring({"eu": Credential("old", read=hang)}, watch, seconds=0.05)
    await keys.refresh("eu")
    is_over.set()

    assert keys.headers["eu"]["X-API-Key"] == "old"
    assert watch.changes == [("key_unreadable", {"credential": "eu", "why": "not read in time"})]
