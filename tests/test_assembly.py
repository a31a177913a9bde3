"""Each part gets its own values of the settings."""

from pathlib import Path

from settings_builders import OAUTH, SECRET, good

from ingestor import assembly
from ingestor.core.guard import Limits
from ingestor.edge.credentials import NotRead


def test_an_oauth_client_is_made_when_the_settings_name_one() -> None:
    """With what it asks a token with; without a token endpoint there is none."""
    settings = good(
        {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            **OAUTH,
            "KAFKA_SASL_OAUTH_SCOPE": "kafka",
        }
    )

    client = assembly.connection(settings).oauth
    assert client is not None
    assert (client.token_url, client.client_id, client.client_secret, client.scope) == (
        "https://id.example/token",
        "ingestor",
        SECRET,
        "kafka",
    )
    assert assembly.connection(good()).oauth is None


def test_the_letter_guard_has_limits_unless_it_is_off() -> None:
    """The share is a part of one."""
    assert assembly.letter_limits(good()) == Limits(20, 0.5)
    assert assembly.letter_limits(good({"INGESTOR_LETTER_GUARD": "9/75%"})) == Limits(9, 0.75)
    assert assembly.letter_limits(good({"INGESTOR_LETTER_GUARD": "off"})) is None


def test_what_may_be_held_is_shared_by_the_room_and_what_is_read_ahead() -> None:
    """Both count; a partition has a small part of what one answer of a broker may hold."""
    settings = good({"INGESTOR_MAX_BUFFER_BYTES": "64MiB"})

    reading = assembly.subscription(settings)

    assert assembly.bounds(settings).bytes == 48 * 2**20
    assert (reading.fetch_bytes, reading.partition_fetch_bytes) == (2 * 2**20, 2**19)


def test_a_key_is_read_again_from_where_it_stood(tmp_path: Path) -> None:
    """A file may hold a new one; one that is gone says why there is none."""
    file = tmp_path / "key"
    file.write_text("first")
    settings = good({"TUNER_API_KEY": "", "TUNER_API_KEY_FILE": str(file)})
    read = assembly.credentials(settings)["default"].read
    assert read is not None
    file.write_text("second")
    assert read() == "second"

    file.unlink()
    assert isinstance(read(), NotRead)
