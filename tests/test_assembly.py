"""Each part gets its own values of the settings."""

from settings_builders import OAUTH, SECRET, good

from ingestor import assembly


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
