"""What the settings say of Kafka is told to its client in the client's words."""

import ssl

from edge.certificates import Authority

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.oauth import OAuthClient, TokenProvider
from ingestor.edge.tls import Tls

SECRET = "the-secret"  # noqa: S105 - opens nothing


async def test_a_plain_connection_says_where_and_who() -> None:
    """And nothing of secrets."""
    assert Connection("a:1,b:2", "me").options() == {
        "bootstrap_servers": "a:1,b:2",
        "client_id": "me",
        "security_protocol": "PLAINTEXT",
    }


async def test_tls_brings_a_context_of_our_own(authority: Authority) -> None:
    """The client's own default would trust other authorities."""
    for protocol in ("SSL", "SASL_SSL"):
        options = Connection("a:1", "me", protocol, Tls(authority.ca)).options()

        context = options["ssl_context"]
        assert isinstance(context, ssl.SSLContext)
        assert len(context.get_ca_certs()) == 1


async def test_a_password_is_passed_on() -> None:
    """For PLAIN and for SCRAM alike."""
    options = Connection(
        "a:1", "me", "SASL_PLAINTEXT", sasl_mechanism="PLAIN", username="u", password=SECRET
    ).options()

    assert options["sasl_mechanism"] == "PLAIN"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", SECRET)
    assert "ssl_context" not in options


async def test_tokens_are_fetched_by_whoever_connects() -> None:
    """Each client of ours keeps its own."""
    connection = Connection(
        "a:1",
        "me",
        "SASL_SSL",
        sasl_mechanism="OAUTHBEARER",
        oauth=OAuthClient("https://login.test/token", "id", SECRET),
    )

    one, other = (connection.options()["sasl_oauth_token_provider"] for _ in range(2))

    assert isinstance(one, TokenProvider)
    assert one is not other


def test_no_secret_is_shown() -> None:
    """Somebody may print what holds it."""
    oauth = OAuthClient("https://login.test/token", "id", SECRET)

    assert SECRET not in repr(Connection("a:1", "me", password=SECRET, oauth=oauth))
